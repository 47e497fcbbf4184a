"""Licences that a tenant may lack, and how Microsoft's services refuse what needs them."""

from lavawall.emulator.errors import GraphError
from lavawall.emulator.model import Licence

ENTRA_P1 = Licence(
    name="ENTRA_P1",
    status=403,
    code="Authentication_RequestFromNonPremiumTenantOrB2CTenant",
    message="Neither tenant is B2C or tenant doesn't have premium license",
)
ENTRA_P2 = Licence(
    name="ENTRA_P2",
    status=400,
    code="AadPremiumLicenseRequired",
    message="The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
)
INTUNE = Licence(
    name="INTUNE",
    status=400,
    code="BadRequest",
    message="Request not applicable to target tenant.",
)


def refused_without(licence: Licence) -> GraphError:
    return GraphError(licence.status, licence.code, licence.message)
