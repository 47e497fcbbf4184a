"""Device objects of the directory, as far as groups and administrative units need them as members."""

from lavawall.emulator import audit
from lavawall.emulator.model import Audit, EntityType
from lavawall.emulator.types.administrative_units import refuse_restricted, show_restriction
from lavawall.emulator.validation import WriteRules

KINDS = (
    EntityType(
        name="device",
        path="/devices",
        read=("Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
        write=("Device.ReadWrite.All", "Directory.ReadWrite.All"),
        rules=WriteRules(
            computed=frozenset({"deletedDateTime", "isManagementRestricted"}),
            immutable=frozenset({"deviceId", "alternativeSecurityIds"}),
            required=("accountEnabled", "deviceId", "displayName", "operatingSystem"),
        ),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="Device",
            target_type="Device",
            create="Add device",
            update="Update device",
            delete="Delete device",
        ),
        guards=(refuse_restricted,),
        present=show_restriction,
    ),
)
