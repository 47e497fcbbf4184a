from django.db import migrations

from tenants.trust.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("snapshots", "0001_initial"), ("tenants", "0002_append_only")]
    operations = [
        append_only("snapshots_snapshot"),
        append_only("snapshots_coverage"),
        append_only("snapshots_blob"),
        append_only("snapshots_version", mutable=["last_snapshot_id"]),
    ]
