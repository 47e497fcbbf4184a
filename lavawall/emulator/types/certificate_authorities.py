"""The certificate authorities that a tenant trusts for sign-in with certificates: set or taken away, never changed."""

import base64

from cryptography import x509

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request, conflict
from lavawall.emulator.model import Audit, EntityType, Permissions, Write
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Organization.Read.All", "Organization.ReadWrite.All")
WRITE: Permissions = ("Organization.ReadWrite.All",)


def check_authorities(write: Write) -> None:
    """Issuer and key identifier are read out of each certificate."""
    if write.session.directory.records[write.type.name]:
        raise conflict("The tenant has a certificate-based authentication configuration already.")
    authorities = write.after.get("certificateAuthorities") or []
    if not any(each.get("isRootAuthority") for each in authorities):
        raise bad_request("At least one root authority is required.")
    for authority in authorities:
        try:
            certificate = x509.load_der_x509_certificate(base64.b64decode(authority["certificate"]))
        except (KeyError, ValueError) as error:
            raise bad_request("A 'certificate' is no certificate in base64.") from error
        authority["issuer"] = certificate.issuer.rfc4514_string()
        authority["issuerSki"] = _key_identifier(certificate)


def _key_identifier(certificate: x509.Certificate) -> str:
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex().upper()


KINDS = (
    EntityType(
        name="certificateBasedAuthConfiguration",
        path="/organization/{parent}/certificateBasedAuthConfiguration",
        parent="organization",
        verbs=frozenset({"list", "get", "create", "delete"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(required=("certificateAuthorities",)),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="DirectoryManagement",
            target_type="Directory",
            create="Set company information",
            delete="Set company information",
        ),
        checks=(check_authorities,),
        dates=(),
    ),
)
