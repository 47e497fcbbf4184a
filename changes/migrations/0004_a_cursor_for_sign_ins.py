"""The one cursor of a tenant stood for the directory audit log and the sign-ins: both go on from where it was."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def give_sign_ins_their_own(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    cursor = apps.get_model("changes", "AuditCursor")
    cursor.objects.bulk_create(
        cursor(tenant_id=each.tenant_id, source="signIn", read_until=each.read_until)
        for each in cursor.objects.filter(source="directoryAudit")
    )


def keep_one(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("changes", "AuditCursor").objects.exclude(source="directoryAudit").delete()


class Migration(migrations.Migration):
    dependencies = [("changes", "0003_a_cursor_for_each_log")]
    operations = [migrations.RunPython(give_sign_ins_their_own, keep_one)]
