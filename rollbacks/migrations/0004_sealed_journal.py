from django.db import migrations, models

from tenants.trust.append_only import GATE, append_only, lift_append_only, refuse

CLOSED = f"NOT EXISTS (SELECT 1 FROM {GATE})"
SEAL = models.CharField(editable=False, help_text="Over all other columns.", max_length=64, null=True)


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0003_signers_under_control")]
    operations = [
        migrations.AddField("steprecord", "seal", SEAL),
        lift_append_only("rollbacks_remapping"),
        migrations.AddField("remapping", "seal", SEAL),
        append_only("rollbacks_remapping"),
        refuse(
            "rollbacks_steprecord",
            "rollbacks_steprecord_stays",
            verb="DELETE",
            condition=CLOSED,
            message="append-only: rollbacks_steprecord",
        ),
        refuse(
            "rollbacks_steprecord",
            "rollbacks_steprecord_belongs_to_its_step",
            verb="UPDATE",
            condition=(
                "(OLD.id <> NEW.id OR OLD.execution_id <> NEW.execution_id OR OLD.step_id <> NEW.step_id "
                f"OR OLD.request_index <> NEW.request_index) AND {CLOSED}"
            ),
            message="append-only: rollbacks_steprecord",
        ),
    ]
