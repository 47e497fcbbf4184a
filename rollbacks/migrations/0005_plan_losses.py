from django.db import migrations, models

from tenants.trust.append_only import append_only, lift_append_only


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0004_sealed_journal")]
    operations = [
        lift_append_only("rollbacks_plan"),
        migrations.AddField(
            model_name="plan",
            name="losses",
            field=models.JSONField(help_text="What it says it does not bring back.", null=True),
        ),
        append_only("rollbacks_plan"),
    ]
