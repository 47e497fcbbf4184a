"""Rules on certificate-based sign-in: trusted certificate authorities and revocation."""

from collections.abc import Iterator

from changes.severity.model import Context, Hit, Rule, Severity, Subject, strengthens, weakens
from changes.severity.readers import Row, is_true, rows, text
from snapshots.catalog.spec import Document

CONFIGURATION = ("certificateBasedAuthConfiguration",)
TECHNIQUE = "T1556"
SIGMA = ("Sigma: New Root Certificate Authority Added",)


def _authorities(document: Document | None) -> dict[str, Row]:
    """By certificate, ignoring line breaks, or by issuer if the certificate is missing."""
    return {
        "".join(text(dict(row), "certificate").split()) or _label(row).casefold(): row
        for row in rows(document, "certificateAuthorities")
    }


def _label(row: Row) -> str:
    return text(dict(row), "issuer") or text(dict(row), "issuerSki") or "without a name"


def authority_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    old, new = _authorities(subject.before), _authorities(subject.after)
    for key in sorted(new.keys() - old.keys()):
        kind = "root" if is_true(dict(new[key]), "isRootAuthority") else "intermediate"
        yield weakens(
            Severity.CRITICAL,
            f"The {kind} certificate authority {_label(new[key])} is now trusted: it can issue "
            "certificates to sign in as any user.",
        )
    for key in sorted(old.keys() - new.keys()):
        yield strengthens(f"The certificate authority {_label(old[key])} is no longer trusted.")


def revocation_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    old, new = _authorities(subject.before), _authorities(subject.after)
    for key in sorted(old.keys() & new.keys()):
        before, after = (text(dict(side[key]), "certificateRevocationListUrl") for side in (old, new))
        label = _label(new[key])
        if before and before != after:
            where = f"at {after}" if after else "nowhere"
            yield weakens(
                Severity.HIGH,
                f"Revocation of certificates of {label} is checked {where} instead of {before}: "
                "a revoked certificate may work again.",
            )
        elif after and not before:
            yield strengthens(f"Revoked certificates of {label} are now refused.")


RULES = (
    Rule(
        "certificate-authority",
        "Trusted certificate authorities changed",
        CONFIGURATION,
        TECHNIQUE,
        authority_changed,
        SIGMA,
    ),
    Rule(
        "certificate-revocation",
        "Revocation checking of certificates changed",
        CONFIGURATION,
        TECHNIQUE,
        revocation_changed,
    ),
)
