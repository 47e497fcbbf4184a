"""Rules on device registration: who may join a device, what is required, and who administers it."""

from changes.severity.declared_settings import (
    Members,
    Setting,
    Watched,
    fewer_protect,
    ladder,
    off_protects,
    on_protects,
    watching,
)
from changes.severity.model import Rule, Severity

DEVICES = ("deviceRegistrationPolicy",)
WHO = ladder(
    "allDeviceRegistrationMembership",
    "enumeratedDeviceRegistrationMembership",
    "noDeviceRegistrationMembership",
)
DEVICE_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "multiFactorAuthConfiguration",
        "MFA for joining or registering a device",
        ladder(("notRequired", "0"), ("required", "1")),
        Severity.HIGH,
        "A stolen password is enough to add a device and keep access with it",
    ),
    Setting(
        "azureADJoin/allowedToJoin/@odata.type",
        "who may join devices",
        WHO,
        Severity.MEDIUM,
        "More accounts can join devices to the tenant",
    ),
    Setting(
        "azureADRegistration/allowedToRegister/@odata.type",
        "who may register devices",
        WHO,
        Severity.LOW,
        "More accounts can register devices",
    ),
    Setting(
        "azureADJoin/localAdmins/registeringUsers/@odata.type",
        "who becomes local administrator when joining a device",
        WHO,
        Severity.MEDIUM,
        "Users are administrators of the devices that they join",
        "T1078.004",
    ),
    Setting(
        "azureADJoin/localAdmins/enableGlobalAdmins",
        "Global Administrators as local administrators",
        off_protects(),
        Severity.MEDIUM,
        "A Global Administrator's sign-in on a joined device can be stolen there",
        "T1078.004",
    ),
    Setting(
        "localAdminPassword/isEnabled",
        "rotation of local administrator passwords (LAPS)",
        on_protects(),
        Severity.MEDIUM,
        "The local administrator's password of all devices is no longer rotated",
    ),
    Setting(
        "userDeviceQuota",
        "the number of devices per user",
        fewer_protect(),
        Severity.LOW,
        "One account can add more devices",
    ),
    Members(
        "azureADJoin/allowedToJoin/groups",
        "the groups that may join devices",
        Severity.LOW,
    ),
    Members("azureADJoin/allowedToJoin/users", "the users who may join devices", Severity.LOW),
    Members(
        "azureADJoin/localAdmins/registeringUsers/users",
        "the users who become local administrators",
        Severity.MEDIUM,
    ),
    Members(
        "azureADJoin/localAdmins/registeringUsers/groups",
        "the groups that become local administrators",
        Severity.MEDIUM,
    ),
)

RULES = (
    Rule(
        "device-registration",
        "Device registration settings changed",
        DEVICES,
        "T1098.005",
        watching(DEVICE_SETTINGS),
        ("Sigma: Changes to Device Registration Policy",),
    ),
)
