"""Rules on tenant-wide policies whose properties speak for themselves: guests, registration, consent, sign-up."""

from collections.abc import Iterator

from changes.severity.conditional_access.policies import ALL, read_policy
from changes.severity.conditional_access.policy_value import MFA_TECHNIQUE, policy_value
from changes.severity.declared_settings import (
    Life,
    Members,
    Setting,
    ladder,
    lives,
    off_protects,
    on_protects,
    opens,
    tells,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import is_true, listed, texts, words
from snapshots.catalog.spec import Document

DEFAULTS = ("identitySecurityDefaultsEnforcementPolicy",)
AUTHORIZATION = ("authorizationPolicy",)
FLOWS = ("authenticationFlowsPolicy",)
CONSENT_REQUESTS = ("adminConsentRequestPolicy",)
CONTEXTS = ("authenticationContextClassReference",)
ROLLOUT = ("featureRolloutPolicy",)

GUEST_ROLES = (
    "a0b1b346-4d3e-4e8b-98f8-753987be4970",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3",
    "2af84b1e-32c8-42b7-82bc-daa82404023b",
)
"""What a guest may see: as a member, limited, only itself."""
USER_RIGHTS = "defaultUserRolePermissions"

AUTHORIZATION_SETTINGS = (
    Setting(
        "allowInvitesFrom",
        "who may invite guests",
        ladder("everyone", "adminsGuestInvitersAndAllMembers", "adminsAndGuestInviters", "none"),
        Severity.MEDIUM,
        "More people can bring outsiders into the tenant",
    ),
    Setting(
        "guestUserRoleId",
        "the guests' directory role",
        ladder(*GUEST_ROLES),
        Severity.MEDIUM,
        "Every guest sees more of the directory",
    ),
    Setting(
        "allowUserConsentForRiskyApps",
        "consent to risky apps",
        off_protects(),
        Severity.HIGH,
        "Everybody may give their data to apps that Microsoft rates as risky",
        "T1528",
    ),
    Setting(
        "allowEmailVerifiedUsersToJoinOrganization",
        "joining by a verified mail address",
        off_protects(),
        Severity.MEDIUM,
        "Whoever owns a mailbox of the domain can create an account",
        "T1136.003",
    ),
    Setting(
        "allowedToSignUpEmailBasedSubscriptions",
        "signing up for subscriptions by mail",
        off_protects(),
        Severity.MEDIUM,
        "Everybody may start services that nobody approved",
    ),
    Setting(
        "allowedToUseSSPR",
        "password reset by administrators themselves",
        off_protects(),
        Severity.MEDIUM,
        "An administrator's phone or mailbox is enough to take the account over",
    ),
    Setting(
        "blockMsolPowerShell",
        "blocking the legacy MSOnline PowerShell",
        on_protects(),
        Severity.MEDIUM,
        "Every user can read and export the directory by legacy tools again",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateApps",
        "registration of applications by every user",
        off_protects(),
        Severity.MEDIUM,
        "Every user can register applications and phish for consent with them",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateTenants",
        "creation of tenants by every user",
        off_protects(),
        Severity.MEDIUM,
        "Every user can found a tenant that nobody here controls",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateSecurityGroups",
        "creation of security groups by every user",
        off_protects(),
        Severity.LOW,
        "Every user can create groups",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToReadOtherUsers",
        "reading of other users",
        off_protects(),
        Severity.LOW,
        "Every user can list all accounts",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToReadBitlockerKeysForOwnedDevice",
        "reading of the own device's recovery keys",
        off_protects(),
        Severity.LOW,
        "A stolen account unlocks its owner's devices",
    ),
)
SELF_CONSENT = "managepermissiongrantsforself."
LEGACY_CONSENT = "microsoft-user-default-legacy"
CONSENT_PATHS = (
    (USER_RIGHTS, "permissionGrantPoliciesAssigned"),
    ("permissionGrantPolicyIdsAssignedToDefaultUserRole",),
)
"""Two shapes of one setting: v1.0 and beta."""
CONSENT_RANKS = (
    "no policy",
    "recommended limits",
    "low-risk permissions",
    "a policy of the tenant",
    "any app",
)
"""What everybody may consent to, from the least."""


def security_defaults(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = is_true(subject.before, "isEnabled"), is_true(subject.after, "isEnabled")
    if before and not after:
        replaced = _baseline(context)
        lost = "Security defaults no longer ask administrators for MFA or block legacy sign-ins"
        if replaced:
            yield neutral(Severity.MEDIUM, f"{lost}; policy {replaced} asks for MFA instead.")
        else:
            yield weakens(Severity.CRITICAL, f"{lost}, and no enforced policy that asks for MFA is known.")
    elif after and not before:
        yield strengthens("Security defaults ask for MFA and block legacy sign-ins.")


def _baseline(context: Context) -> str:
    """An enforced policy that makes everybody prove themselves with more than one factor, or nothing."""
    policies = (
        read_policy(document, context, "after")
        for document in context.all("after", "conditionalAccessPolicy").values()
    )
    names = [
        policy.name
        for policy in policies
        if policy.enforced
        and ALL in policy.reach["users"]
        and policy_value(policy, context) is Severity.CRITICAL
    ]
    return min(names, default="")


def _consent_rank(document: Document | None) -> int:
    assigned = {
        name.removeprefix(SELF_CONSENT)
        for path in CONSENT_PATHS
        for name in words(document, *path)
        if name.startswith(SELF_CONSENT) or not name.startswith("managepermissiongrants")
    }
    return max((_policy_rank(name) for name in assigned), default=0)


def _policy_rank(policy_id: str) -> int:
    own = {
        "microsoft-user-default-recommended": 1,
        "microsoft-user-default-low": 2,
        LEGACY_CONSENT: len(CONSENT_RANKS) - 1,
    }
    return own.get(policy_id, 3)


def user_consent(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = _consent_rank(subject.before), _consent_rank(subject.after)
    change = f"Users may consent to {CONSENT_RANKS[after]} instead of {CONSENT_RANKS[before]}."
    if after > before:
        everything = after == len(CONSENT_RANKS) - 1
        severity = Severity.HIGH if everything else Severity.MEDIUM
        yield weakens(severity, f"{change} Everybody can be phished for access to their data.")
    elif after < before:
        yield strengthens(change)


def rollout_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """Which people sign in at Microsoft and no longer at the federated provider, or the reverse."""
    names = ("feature", "isEnabled", "isAppliedToOrganization", "appliesTo")
    old, new = subject.before or {}, subject.after or {}
    changed = [name for name in names if old.get(name) != new.get(name)]
    if changed:
        features = listed({*texts({"f": [old.get("feature"), new.get("feature")]}, "f")})
        reason = f"The staged rollout {subject.name} ({features}) changed how some people sign in."
        yield neutral(Severity.MEDIUM, reason)


CONSENT_REQUEST_SETTINGS = (
    Setting(
        "isEnabled",
        "asking administrators for consent",
        on_protects(),
        Severity.LOW,
        "Requests for apps no longer reach a reviewer",
    ),
    Setting("notifyReviewers", "mail to reviewers", on_protects(), Severity.LOW),
    Members(
        "reviewers",
        "the reviewers of consent requests",
        Severity.MEDIUM,
        key="query",
        effect="They decide which apps enter the tenant",
    ),
)

GUEST_SOURCES = ("CISA ScubaGear: MS.AAD.8.1 to 8.3", "Maester: EIDSCA authorization policy")

RULES = (
    Rule(
        "security-defaults",
        "Security defaults were switched",
        DEFAULTS,
        MFA_TECHNIQUE,
        security_defaults,
        ("Maester MT.1021",),
    ),
    Rule(
        "authorization-policy",
        "What guests and ordinary users may do changed",
        AUTHORIZATION,
        "T1484",
        watching(AUTHORIZATION_SETTINGS),
        GUEST_SOURCES,
    ),
    Rule(
        "user-consent-policy",
        "What users may consent to changed",
        AUTHORIZATION,
        "T1528",
        user_consent,
        ("CISA ScubaGear: MS.AAD.5.2",),
    ),
    Rule(
        "self-service-sign-up",
        "Outsiders may create their own accounts",
        FLOWS,
        "T1136.003",
        watching(
            (
                Setting(
                    "selfServiceSignUp/isEnabled",
                    "self-service sign-up",
                    off_protects(),
                    Severity.MEDIUM,
                    "Strangers can create guest accounts by themselves",
                ),
            )
        ),
    ),
    Rule(
        "consent-requests",
        "Who decides on requests for consent changed",
        CONSENT_REQUESTS,
        "T1528",
        watching(CONSENT_REQUEST_SETTINGS),
        ("CISA ScubaGear: MS.AAD.5.3",),
    ),
    Rule(
        "authentication-context-withdrawn",
        "An authentication context can be asked for or not",
        CONTEXTS,
        "T1556.009",
        watching(
            (
                Setting(
                    "isAvailable",
                    "being published to apps",
                    on_protects(),
                    Severity.MEDIUM,
                    "Apps and protected actions can no longer ask for the policies behind it",
                ),
            )
        ),
    ),
    Rule(
        "feature-rollout",
        "A staged rollout of sign-in methods changed",
        ROLLOUT,
        "T1556.007",
        rollout_changed,
    ),
    lives(
        "tenant-policy-life",
        "A policy of sign-ins appeared or went",
        "T1556.009",
        {
            CONTEXTS[0]: Life(
                created=tells(Severity.LOW, "Policies can now be tied to this authentication context"),
                deleted=opens(Severity.MEDIUM, "What asked for it is no longer protected by its policies"),
            ),
            FLOWS[0]: Life(deleted=tells(Severity.LOW, "Its settings are Microsoft's defaults again")),
            CONSENT_REQUESTS[0]: Life(deleted=tells(Severity.LOW, "Users can no longer ask for consent")),
            "deviceRegistrationPolicy": Life(
                deleted=opens(Severity.MEDIUM, "Devices join under Microsoft's defaults")
            ),
            AUTHORIZATION[0]: Life(deleted=opens(Severity.MEDIUM, "Microsoft's defaults hold for everybody")),
        },
    ),
)
