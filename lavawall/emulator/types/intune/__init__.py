"""Every resource type of Intune, in the modules of its subjects."""

from lavawall.emulator.types.intune import (
    apps,
    compliance,
    configurations,
    enrollment,
    group_policy,
    intents,
    rbac,
    scripts,
    settings_catalog,
    tenant,
)

KINDS = (
    *configurations.KINDS,
    *compliance.KINDS,
    *settings_catalog.KINDS,
    *group_policy.KINDS,
    *enrollment.KINDS,
    *apps.KINDS,
    *rbac.KINDS,
    *intents.KINDS,
    *scripts.KINDS,
    *tenant.KINDS,
)
