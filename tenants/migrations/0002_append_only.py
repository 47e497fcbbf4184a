from django.conf import settings
from django.core.management import call_command
from django.db import migrations

from tenants.trust.append_only import append_only, create_gate


def create_cache_table(apps, schema_editor):
    if "DatabaseCache" in settings.CACHES["default"]["BACKEND"]:
        call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [
        create_gate(),
        append_only("tenants_ledgerentry"),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
    ]
