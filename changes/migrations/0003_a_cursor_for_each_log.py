import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("changes", "0002_append_only")]
    operations = [
        migrations.AlterModelOptions(
            name="auditcursor",
            options={"default_permissions": (), "ordering": ["tenant", "source", "subscription"]},
        ),
        migrations.AddField(
            model_name="auditcursor",
            name="source",
            field=models.CharField(default="directoryAudit", max_length=20),
        ),
        migrations.AddField(
            model_name="auditcursor",
            name="subscription",
            field=models.CharField(blank=True, default="", help_text="Azure's logs only.", max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="auditcursor",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="audit_cursors", to="tenants.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditcursor",
            constraint=models.UniqueConstraint(
                fields=("tenant", "source", "subscription"), name="a_log_is_read_by_one_cursor"
            ),
        ),
    ]
