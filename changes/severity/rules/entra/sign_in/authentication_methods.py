"""Rules on the authentication methods policy and its methods."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from changes.severity import reference
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import Row, dig, is_true, keyed, number, short_type, word, words
from changes.severity.surroundings import display_name
from snapshots.catalog.spec import Document

METHOD = ("authenticationMethodConfiguration",)
POLICY = ("authenticationMethodsPolicy",)
EVERYBODY = "all_users"
SUFFIX = "AuthenticationMethodConfiguration"

LABELS = {
    "sms": "text messages (SMS)",
    "voice": "voice calls",
    "email": "email one-time codes",
    "qrcodepin": "QR code with PIN",
    "fido2": "passkeys (FIDO2)",
    "x509certificate": "certificates",
    "microsoftauthenticator": "Microsoft Authenticator",
    "temporaryaccesspass": "Temporary Access Pass",
    "softwareoath": "software OATH tokens",
    "hardwareoath": "hardware OATH tokens",
}
NEUTRAL_WHEN_ENABLED = {"softwareoath", "hardwareoath", "verifiablecredentials"}


def method_of(subject: Subject) -> str:
    """The method's fixed ID, derived from its type if necessary."""
    if subject.resource_id.casefold() in LABELS:
        return subject.resource_id.casefold()
    kind = short_type(subject.document)
    return kind.removesuffix(SUFFIX).casefold() if kind.endswith(SUFFIX) else subject.resource_id.casefold()


def _label(subject: Subject) -> str:
    return LABELS.get(method_of(subject), subject.name)


def _enabled(document: Document | None) -> bool:
    return word(document, "state") == "enabled"


def _targets(document: Document | None) -> dict[str, Row]:
    return keyed(document, "includeTargets")


def _everybody(document: Document | None) -> bool:
    """A method without targets, or with all users as a target, applies to all users."""
    targets = _targets(document)
    return not targets or EVERYBODY in targets


def _audience(document: Document | None, context: Context) -> str:
    if _everybody(document):
        return "all users"
    return f"groups {', '.join(sorted(display_name(context, 'group', key) for key in _targets(document)))}"


def method_enabled(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind == "deleted" or _enabled(subject.before) or not _enabled(subject.after):
        return
    method, label = method_of(subject), _label(subject)
    reason = f"Sign-in with {label} was enabled for {_audience(subject.after, context)}"
    if method in reference.WEAK_METHODS:
        yield weakens(Severity.HIGH, f"{reason}: a weak factor that can be intercepted or phished.")
    elif method == "temporaryaccesspass":
        yield weakens(Severity.MEDIUM, f"{reason}: anyone who may issue one can sign in as someone else.")
    elif method == "x509certificate":
        yield neutral(Severity.MEDIUM, f"{reason}: check which certificate authorities are trusted.", "T1556")
    elif method == "externalauthenticationmethod" or method not in LABELS:
        yield neutral(Severity.MEDIUM, f"{reason}: another service now verifies a factor.")
    elif method in NEUTRAL_WHEN_ENABLED:
        yield neutral(Severity.LOW, f"{reason}.")
    else:
        yield strengthens(f"{reason}: a strong factor.")


def method_disabled(subject: Subject, context: Context) -> Iterator[Hit]:
    if not _enabled(subject.before) or _enabled(subject.after):
        return
    method, label = method_of(subject), _label(subject)
    reason = f"Sign-in with {label} was disabled for {_audience(subject.before, context)}"
    if method in reference.STRONG_METHODS:
        yield weakens(Severity.HIGH, f"{reason}: users fall back to weaker factors.")
    elif method in reference.WEAK_METHODS or method == "temporaryaccesspass":
        yield strengthens(f"{reason}: one factor less that could be abused.")
    else:
        yield neutral(Severity.LOW if method in NEUTRAL_WHEN_ENABLED else Severity.MEDIUM, f"{reason}.")


def targets_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated" or not (_enabled(subject.before) and _enabled(subject.after)):
        return
    wider = _reached_beyond(subject.after, subject.before)
    narrower = _reached_beyond(subject.before, subject.after)
    method, label, reach = method_of(subject), _label(subject), _audience(subject.after, context)
    if wider and method in reference.WEAK_METHODS:
        severity = Severity.HIGH if _everybody(subject.after) else Severity.MEDIUM
        yield weakens(severity, f"More people may sign in with {label}: {reach}.")
    elif wider and method == "temporaryaccesspass":
        yield weakens(Severity.MEDIUM, f"More people may get a {label}: {reach}.")
    elif wider and method in reference.STRONG_METHODS:
        yield strengthens(f"More people may sign in with {label}: {reach}.")
    if narrower and method in reference.STRONG_METHODS:
        severity = Severity.HIGH if _everybody(subject.before) else Severity.MEDIUM
        yield weakens(severity, f"Fewer people may sign in with {label}, now {reach}.")
    elif narrower and method in reference.WEAK_METHODS | {"temporaryaccesspass"}:
        yield strengthens(f"Fewer people may sign in with {label}, now {reach}.")


def _reached_beyond(first: Document | None, second: Document | None) -> bool:
    """Whether `first` includes someone whom `second` does not."""
    excluded_less = keyed(second, "excludeTargets").keys() - keyed(first, "excludeTargets").keys()
    if _everybody(second):
        return bool(excluded_less)
    return _everybody(first) or bool(_targets(first).keys() - _targets(second).keys()) or bool(excluded_less)


def usable_for_sign_in(subject: Subject, context: Context) -> Iterator[Hit]:
    """Sign-in with a text message alone: no password and no second factor."""
    if subject.kind == "deleted":
        return

    def usable(document: Document | None) -> set[str]:
        return {key for key, row in _targets(document).items() if row.get("isUsableForSignIn") is True}

    before = usable(subject.before) if _enabled(subject.before) else set()
    after = usable(subject.after) if _enabled(subject.after) else set()
    if after - before:
        names = sorted(
            "all users" if key == EVERYBODY else display_name(context, "group", key) for key in after
        )
        reason = f"A single {_label(subject)} factor now signs in {', '.join(names)}, without a password."
        yield weakens(Severity.HIGH, reason)
    elif before - after and subject.kind == "updated":
        yield strengthens(f"{_label(subject)} alone signs in fewer people.")


@dataclass(frozen=True)
class Setting:
    """One setting of a method: how strict its value is (higher is stricter), and the effect of loosening it."""

    strictness: Callable[[Document | None], float]
    severity: Severity
    loosened: str


def _truth(*path: str) -> Callable[[Document | None], float]:
    return lambda document: float(is_true(document, *path))


def _falsehood(*path: str) -> Callable[[Document | None], float]:
    return lambda document: -float(is_true(document, *path))


def _at_most(*path: str) -> Callable[[Document | None], float]:
    return lambda document: -(number(document, *path) or 0.0)


def _at_least(*path: str) -> Callable[[Document | None], float]:
    return lambda document: number(document, *path) or 0.0


def _not_off(*path: str) -> Callable[[Document | None], float]:
    """Microsoft's default counts as between on and off."""
    return lambda document: {"enabled": 1.0, "disabled": -1.0}.get(word(document, *path), 0.0)


SETTINGS = (
    Setting(_truth("isAttestationEnforced"), Severity.MEDIUM, "security keys no longer need attestation"),
    Setting(
        _truth("keyRestrictions", "isEnforced"),
        Severity.MEDIUM,
        "any security key model may be registered",
    ),
    Setting(_truth("isUsableOnce"), Severity.MEDIUM, "a pass may be used more than once"),
    Setting(_at_most("maximumLifetimeInMinutes"), Severity.MEDIUM, "a pass may be valid for longer"),
    Setting(_at_most("defaultLifetimeInMinutes"), Severity.MEDIUM, "a pass is valid for longer by default"),
    Setting(_at_least("defaultLength"), Severity.MEDIUM, "a pass is shorter"),
    Setting(_at_least("pinLength"), Severity.MEDIUM, "the PIN is shorter"),
    Setting(_falsehood("isOfficePhoneAllowed"), Severity.MEDIUM, "office phones may answer the call"),
    Setting(
        lambda document: {"disabled": 1.0, "enabled": -1.0}.get(
            word(document, "allowExternalIdToUseEmailOtp"), 0.0
        ),
        Severity.MEDIUM,
        "guests may sign in with a code sent by email",
    ),
    Setting(
        _not_off("featureSettings", "numberMatchingRequiredState", "state"),
        Severity.HIGH,
        "a push can be accepted without typing the number shown",
    ),
    Setting(
        _not_off("featureSettings", "displayAppInformationRequiredState", "state"),
        Severity.MEDIUM,
        "a push no longer shows the requesting application",
    ),
    Setting(
        _not_off("featureSettings", "displayLocationInformationRequiredState", "state"),
        Severity.MEDIUM,
        "a push no longer shows where the sign-in comes from",
    ),
    Setting(
        _not_off("crlValidationConfiguration", "state"),
        Severity.MEDIUM,
        "certificates without a revocation list are accepted",
    ),
)


def setting_loosened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    live = _enabled(subject.before) or _enabled(subject.after)
    for setting in SETTINGS:
        before, after = setting.strictness(subject.before), setting.strictness(subject.after)
        if after < before:
            severity = setting.severity if live else Severity.LOW
            yield weakens(severity, f"{_label(subject)}: {setting.loosened}.")
        elif after > before:
            yield strengthens(f"{_label(subject)}: a setting is stricter ({setting.loosened}: no longer).")


def key_list_loosened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    path = ("keyRestrictions",)
    before, after = subject.before, subject.after
    kind = word(after, *path, "enforcementType")
    enforced = is_true(before, *path, "isEnforced") and is_true(after, *path, "isEnforced")
    if subject.kind != "updated" or not enforced or kind != word(before, *path, "enforcementType"):
        return
    old, new = words(before, *path, "aaGuids"), words(after, *path, "aaGuids")
    looser = new - old if kind == "allow" else old - new
    stricter = old - new if kind == "allow" else new - old
    if looser:
        yield weakens(Severity.MEDIUM, f"{len(looser)} more security key models may be registered.")
    elif stricter:
        yield strengthens(f"{len(stricter)} security key models may no longer be registered.")


def certificate_mode_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    path = ("authenticationModeConfiguration", "x509CertificateAuthenticationDefaultMode")
    before, after = word(subject.before, *path), word(subject.after, *path)
    if subject.kind != "updated" or before == after:
        return
    if after == "x509certificatemultifactor":
        yield weakens(
            Severity.MEDIUM, "A certificate alone now counts as multi-factor authentication.", "T1556"
        )
    elif before == "x509certificatemultifactor":
        yield strengthens("A certificate alone no longer counts as multi-factor authentication.")


CAMPAIGN = ("registrationEnforcement", "authenticationMethodsRegistrationCampaign")


def campaign_weakened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """The registration campaign for a strong factor."""
    if subject.kind != "updated":
        return
    before, after = subject.before, subject.after
    strict = _not_off(*CAMPAIGN, "state")
    if strict(after) < strict(before):
        yield weakens(Severity.MEDIUM, "Users are no longer asked to register a strong factor.")
    elif strict(after) > strict(before):
        yield strengthens("Users are asked to register a strong factor.")
    left_out = (
        keyed(after, *CAMPAIGN, "excludeTargets").keys() - keyed(before, *CAMPAIGN, "excludeTargets").keys()
    )
    dropped = (
        keyed(before, *CAMPAIGN, "includeTargets").keys() - keyed(after, *CAMPAIGN, "includeTargets").keys()
    )
    if strict(before) >= 0 and (left_out or dropped):
        yield weakens(Severity.MEDIUM, "Fewer users are asked to register a strong factor.")
    snooze = _at_most(*CAMPAIGN, "snoozeDurationInDays")
    if snooze(after) < snooze(before):
        yield weakens(Severity.LOW, "Users may postpone the registration of a strong factor for longer.")


POLICY_SWITCHES = (
    (
        ("reportSuspiciousActivitySettings", "state"),
        "users can no longer report suspicious prompts",
    ),
    (("systemCredentialPreferences", "state"), "users are no longer asked for their strongest factor first"),
)


def protection_switched_off(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    for path, effect in POLICY_SWITCHES:
        if dig(subject.before, *path) is None and dig(subject.after, *path) is None:
            continue
        strict = _not_off(*path)
        if strict(subject.after) < strict(subject.before):
            yield weakens(Severity.MEDIUM, f"{effect[0].upper()}{effect[1:]}.")
        elif strict(subject.after) > strict(subject.before):
            yield strengthens(f"A protection was switched on ({effect}: reversed).")


MIGRATION = ("premigration", "migrationinprogress", "migrationcomplete")


def migration_reversed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = (word(side, "policyMigrationState") for side in (subject.before, subject.after))
    if subject.kind != "updated" or before not in MIGRATION or after not in MIGRATION:
        return
    if MIGRATION.index(after) < MIGRATION.index(before):
        yield weakens(
            Severity.MEDIUM, "The legacy MFA and password reset policies apply again in addition to this one."
        )
    elif MIGRATION.index(after) > MIGRATION.index(before):
        yield strengthens("The legacy MFA and password reset policies apply less.")


TECHNIQUE = "T1556.006"
CISA = ("CISA ScubaGear: MS.AAD.3.1 to 3.5",)

RULES = (
    Rule("auth-method-enabled", "A method was enabled", METHOD, TECHNIQUE, method_enabled, CISA),
    Rule("auth-method-disabled", "A method was disabled", METHOD, TECHNIQUE, method_disabled, CISA),
    Rule(
        "auth-method-targets",
        "Users of an authentication method changed",
        METHOD,
        TECHNIQUE,
        targets_changed,
        CISA,
    ),
    Rule(
        "auth-method-alone",
        "A weak method alone is enough to sign in",
        METHOD,
        TECHNIQUE,
        usable_for_sign_in,
        CISA,
    ),
    Rule(
        "auth-method-setting",
        "A method's setting was loosened",
        METHOD,
        TECHNIQUE,
        setting_loosened,
        ("Maester: EIDSCA authentication methods",),
    ),
    Rule(
        "auth-method-keys",
        "The allowed security keys changed",
        METHOD,
        TECHNIQUE,
        key_list_loosened,
        ("Maester: EIDSCA authentication methods",),
    ),
    Rule(
        "auth-method-certificate",
        "The authentication level of certificates changed",
        METHOD,
        TECHNIQUE,
        certificate_mode_changed,
        ("Sigma: Certificate-Based Authentication Enabled",),
    ),
    Rule(
        "auth-registration-weakened",
        "The registration campaign changed",
        POLICY,
        TECHNIQUE,
        campaign_weakened,
        ("Maester: EIDSCA authentication methods",),
    ),
    Rule(
        "auth-protection-off",
        "A protection in the authentication methods policy changed",
        POLICY,
        TECHNIQUE,
        protection_switched_off,
        ("Maester: EIDSCA authentication methods",),
    ),
    Rule(
        "auth-migration-reversed",
        "The migration to the authentication methods policy changed",
        POLICY,
        TECHNIQUE,
        migration_reversed,
        ("CISA ScubaGear: MS.AAD.3.4",),
    ),
)
