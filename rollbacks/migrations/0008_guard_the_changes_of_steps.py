from django.db import migrations

from tenants.trust.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0007_resumptions_and_partial_executions")]
    operations = [append_only("rollbacks_step_changes")]
