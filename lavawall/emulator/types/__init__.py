"""Every resource type of the emulated cloud. A further type is one declaration in one of these modules."""

from lavawall.emulator import registry
from lavawall.emulator.types import (
    administrative_units,
    application_policies,
    applications,
    authentication,
    authentication_contexts,
    conditional_access,
    consent,
    consent_policies,
    cross_tenant,
    devices,
    directory_roles,
    federated_credentials,
    group_schedules,
    intune,
    logs,
    organisation,
    people,
    role_schedules,
    role_settings,
    roles,
    security_attributes,
    tenant_policies,
)

registry.register(
    (
        *conditional_access.KINDS,
        *authentication.KINDS,
        *roles.KINDS,
        *people.KINDS,
        *devices.KINDS,
        *administrative_units.KINDS,
        *directory_roles.KINDS,
        *role_settings.KINDS,
        *role_schedules.KINDS,
        *group_schedules.KINDS,
        *applications.KINDS,
        *consent.KINDS,
        *organisation.KINDS,
        *logs.KINDS,
        *intune.KINDS,
        *authentication_contexts.KINDS,
        *tenant_policies.KINDS,
        *cross_tenant.KINDS,
        *consent_policies.KINDS,
        *application_policies.KINDS,
        *federated_credentials.KINDS,
        *security_attributes.KINDS,
    )
)
