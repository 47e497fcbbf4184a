from django.db import migrations, models

from tenants.trust.append_only import append_only, lift_append_only


class Migration(migrations.Migration):
    dependencies = [("snapshots", "0002_append_only")]
    operations = [
        lift_append_only("snapshots_blob"),
        migrations.AddField(
            model_name="blob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("whole", "whole document"),
                    ("split", "outline of a split document"),
                    ("piece", "piece of a long list"),
                ],
                default="whole",
                max_length=5,
            ),
        ),
        append_only("snapshots_blob"),
    ]
