"""Every resource type of the emulated cloud. A further type is one declaration in one of these modules."""

from lavawall.emulator import registry
from lavawall.emulator.types import (
    applications,
    authentication,
    conditional_access,
    consent,
    logs,
    organisation,
    people,
    roles,
)

registry.register(
    (
        *conditional_access.KINDS,
        *authentication.KINDS,
        *roles.KINDS,
        *people.KINDS,
        *applications.KINDS,
        *consent.KINDS,
        *organisation.KINDS,
        *logs.KINDS,
    )
)
