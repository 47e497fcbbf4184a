from django.db import migrations, models

from tenants.trust.append_only import append_only, lift_append_only


class Migration(migrations.Migration):
    dependencies = [("snapshots", "0003_blob_kind")]
    operations = [
        lift_append_only("snapshots_coverage"),
        migrations.AddField(
            model_name="coverage",
            name="beside",
            field=models.JSONField(
                blank=True, default=list, help_text="Listings that were read too, for what they say in full."
            ),
        ),
        append_only("snapshots_coverage"),
    ]
