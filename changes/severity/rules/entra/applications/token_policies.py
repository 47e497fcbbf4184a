"""Rules on token policies (JSON texts in a list): lifetimes, claims, home realms, idle time."""

import json
from collections.abc import Iterator
from typing import Any

from changes.severity.declared_settings import Rank, Setting, ladder, off_protects, shorter_protects, watching
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, is_true, listed, rows, text, texts, word
from changes.severity.spans import seconds_of
from snapshots.catalog.spec import Document

LIFETIME = ("tokenLifetimePolicy",)
CLAIMS = ("claimsMappingPolicy",)
REALM = ("homeRealmDiscoveryPolicy",)
ISSUANCE = ("tokenIssuancePolicy",)
IDLE = ("activityBasedTimeoutPolicy",)
ALL_TYPES = LIFETIME + CLAIMS + REALM + ISSUANCE + IDLE
HOUR, DAY = 3_600.0, 86_400.0
TECHNIQUE = "T1556"


def definition(document: Document | None) -> Document:
    """The parsed content below its outer name, with lower-case names because their case varies."""
    found: Document = {}
    for written in texts(document, "definition"):
        try:
            content = json.loads(written)
        except ValueError:
            continue
        inner = next(iter(content.values()), None) if isinstance(content, dict) else None
        if isinstance(inner, dict):
            found |= _folded(inner)
    return found


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key).casefold(): _folded(item) for key, item in value.items()}
    return [_folded(item) for item in value] if isinstance(value, list) else value


def _lifetime(name: str, what: str, usual: float, severity: Severity = Severity.MEDIUM) -> Setting:
    """`usual`: the default in seconds."""
    effect = "A stolen token or session stays valid for longer"
    return Setting(name.casefold(), what, shorter_protects(usual), severity, effect, "T1550.001")


LIFETIMES = (
    _lifetime("AccessTokenLifetime", "the lifetime of access tokens", HOUR),
    _lifetime("MaxInactiveTime", "the idle lifetime of refresh tokens", 90 * DAY),
    _lifetime("MaxAgeSingleFactor", "the lifetime of refresh tokens", float("inf")),
    _lifetime("MaxAgeMultiFactor", "the lifetime of refresh tokens with MFA", float("inf")),
    _lifetime("MaxAgeSessionSingleFactor", "the lifetime of sessions", float("inf")),
    _lifetime("MaxAgeSessionMultiFactor", "the lifetime of sessions with MFA", float("inf")),
)
REALM_SETTINGS = (
    Setting(
        "acceleratetofederateddomain",
        "automatic redirection to a federated provider",
        off_protects(),
        Severity.HIGH,
        "Users of these apps enter their passwords at that provider",
        "T1556.007",
    ),
    Setting(
        "allowcloudpasswordvalidation",
        "sign-in with a cloud password, bypassing the federated provider",
        off_protects(),
        Severity.MEDIUM,
        "The provider's own checks can be bypassed",
    ),
    Setting(
        "alternateidlogin/enabled",
        "sign-in with an alternate email address",
        off_protects(),
        Severity.LOW,
        "A second name can be used to sign in to every account",
    ),
)


def _signature(value: Any) -> Rank:
    """Either a bare name or the end of an XML signature address."""
    name = value.rsplit("#", 1)[-1].casefold().removeprefix("rsa-") if isinstance(value, str) else value
    return ladder("sha1", "sha256", missing="sha256")(name)


ISSUANCE_SETTINGS = (
    Setting(
        "signingalgorithm",
        "the algorithm that signs SAML tokens",
        _signature,
        Severity.MEDIUM,
        "Tokens are signed with a broken algorithm",
    ),
)
IDENTITY_CLAIMS = ("nameidentifier", "nameid", "/upn", "emailaddress", "/name", "objectidentifier", "role")


def claims_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = definition(subject.before), definition(subject.after)
    if before == after:
        return
    written = [_claim(row) for row in rows(after, "claimsschema") if row not in rows(before, "claimsschema")]
    naming = [name for name in written if any(part in f"/{name}".casefold() for part in IDENTITY_CLAIMS)]
    if naming:
        yield weakens(
            Severity.HIGH,
            f"{subject.name} changes how apps identify users: {listed(naming)}.",
            "T1606",
        )
    else:
        yield neutral(Severity.MEDIUM, f"{subject.name} changes the claims in tokens for apps.")


def _claim(row: Any) -> str:
    return next(
        (text(dict(row), name) for name in ("samlclaimtype", "jwtclaimtype", "id") if text(dict(row), name)),
        "a claim",
    )


def realm_moved(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = (text(definition(side), "preferreddomain") for side in (subject.before, subject.after))
    if after and before.casefold() != after.casefold():
        yield weakens(
            Severity.HIGH,
            f"{subject.name} sends users to the provider of {after} to sign in.",
            "T1556.007",
        )
    elif before and not after:
        yield strengthens(f"{subject.name} no longer sends users to the provider of {before}.")


def _idle_times(document: Document | None) -> dict[str, float]:
    times = {}
    for row in rows(definition(document), "applicationpolicies"):
        seconds = seconds_of(text(dict(row), "websessionidletimeout"))
        if seconds is not None:
            times[word(dict(row), "applicationid") or "default"] = seconds
    return times


def idle_prolonged(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = _idle_times(subject.before), _idle_times(subject.after)
    endless = float("inf")
    longer = [app for app in before | after if after.get(app, endless) > before.get(app, endless)]
    shorter = [app for app in before | after if after.get(app, endless) < before.get(app, endless)]
    if longer:
        reason = (
            f"Idle web sessions ({listed(longer)}) stay open for longer. An attacker needs only an "
            "unlocked screen."
        )
        yield weakens(Severity.MEDIUM, reason)
    elif shorter:
        yield strengthens(f"Idle web sessions ({listed(shorter)}) end earlier.")


def reach_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = (is_true(side, "isOrganizationDefault") for side in (subject.before, subject.after))
    whom = "every app" if after else "only the apps it is assigned to"
    if before != after and subject.kind == "updated":
        yield neutral(Severity.MEDIUM, f"The policy {subject.name} now applies to {whom}.")
    elif dig(subject.before, "appliesTo") != dig(subject.after, "appliesTo") and subject.kind == "updated":
        yield neutral(Severity.MEDIUM, f"The policy {subject.name} now applies to different apps.")


RULES = (
    Rule(
        "token-lifetime",
        "Token lifetimes changed",
        LIFETIME,
        "T1550.001",
        watching(LIFETIMES, view=definition, whole_life=True),
    ),
    Rule("token-claims", "The claims in tokens changed", CLAIMS, TECHNIQUE, claims_changed),
    Rule(
        "home-realm-setting",
        "Where users sign in changed",
        REALM,
        "T1556.007",
        watching(REALM_SETTINGS, view=definition, whole_life=True),
    ),
    Rule("home-realm-moved", "Users are sent to another identity provider", REALM, "T1556.007", realm_moved),
    Rule(
        "token-signing",
        "The signing of SAML tokens changed",
        ISSUANCE,
        TECHNIQUE,
        watching(ISSUANCE_SETTINGS, view=definition, whole_life=True),
    ),
    Rule("idle-timeout", "The idle session timeout changed", IDLE, "T1550.004", idle_prolonged),
    Rule(
        "token-policy-reach",
        "The apps of a token policy changed",
        ALL_TYPES,
        TECHNIQUE,
        reach_changed,
    ),
)
