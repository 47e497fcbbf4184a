from django.db import migrations

from tenants.trust.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial"), ("tenants", "0002_append_only")]
    operations = [
        append_only("changes_change"),
        append_only("changes_finding"),
        append_only("changes_acknowledgement"),
        append_only("changes_auditevent"),
        append_only("changes_signin"),
        append_only("changes_attribution"),
    ]
