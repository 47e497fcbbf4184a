"""Table-driven rules on tenant-wide policies: guests, registration, consent, sign-up."""

from collections.abc import Iterator

from changes.severity.conditional_access.policies import ALL, read_policy
from changes.severity.conditional_access.policy_value import MFA_TECHNIQUE, policy_value
from changes.severity.declared_settings import (
    Life,
    Members,
    Setting,
    always,
    ladder,
    lives,
    off_protects,
    on_protects,
    opens,
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
"""What a guest may see: like a member, limited, or only itself."""
USER_RIGHTS = "defaultUserRolePermissions"

AUTHORIZATION_SETTINGS = (
    Setting(
        "allowInvitesFrom",
        "who may invite guests",
        ladder("everyone", "adminsGuestInvitersAndAllMembers", "adminsAndGuestInviters", "none"),
        Severity.MEDIUM,
        "More people can invite external users to the tenant",
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
        "All users may give apps that Microsoft rates as risky access to their data",
        "T1528",
    ),
    Setting(
        "allowEmailVerifiedUsersToJoinOrganization",
        "joining with a verified email address",
        off_protects(),
        Severity.MEDIUM,
        "Anyone with a mailbox in the domain can create an account",
        "T1136.003",
    ),
    Setting(
        "allowedToSignUpEmailBasedSubscriptions",
        "signing up for subscriptions by email",
        off_protects(),
        Severity.MEDIUM,
        "All users may start services that nobody approved",
    ),
    Setting(
        "allowedToUseSSPR",
        "self-service password reset for administrators",
        off_protects(),
        Severity.MEDIUM,
        "An administrator's phone or mailbox is enough to take over the account",
    ),
    Setting(
        "blockMsolPowerShell",
        "blocking the legacy MSOnline PowerShell",
        on_protects(),
        Severity.MEDIUM,
        "Every user can read and export the directory with legacy tools",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateApps",
        "registration of applications by all users",
        off_protects(),
        Severity.MEDIUM,
        "Every user can register applications and phish for consent with them",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateTenants",
        "creation of tenants by all users",
        off_protects(),
        Severity.MEDIUM,
        "Every user can create a tenant that nobody here controls",
    ),
    Setting(
        f"{USER_RIGHTS}/allowedToCreateSecurityGroups",
        "creation of security groups by all users",
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
        "access to the recovery keys of the user's own devices",
        off_protects(),
        Severity.LOW,
        "A stolen account can unlock its owner's devices",
    ),
)
SELF_CONSENT = "managepermissiongrantsforself."
LEGACY_CONSENT = "microsoft-user-default-legacy"
CONSENT_PATHS = (
    (USER_RIGHTS, "permissionGrantPoliciesAssigned"),
    ("permissionGrantPolicyIdsAssignedToDefaultUserRole",),
)
"""Two formats of the same setting: v1.0 and beta."""
CONSENT_RANKS = (
    "no policy",
    "recommended limits",
    "low-risk permissions",
    "a policy of the tenant",
    "any app",
)
"""What all users may consent to, from least to most."""


def security_defaults(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = is_true(subject.before, "isEnabled"), is_true(subject.after, "isEnabled")
    if before and not after:
        replaced = _baseline(context)
        lost = "Security defaults no longer require MFA for administrators or block legacy sign-ins"
        if replaced:
            yield neutral(Severity.MEDIUM, f"{lost}; policy {replaced} requires MFA instead.")
        else:
            yield weakens(Severity.CRITICAL, f"{lost}, and no enforced policy that requires MFA is known.")
    elif after and not before:
        yield strengthens("Security defaults require MFA and block legacy sign-ins.")


def _baseline(context: Context) -> str:
    """The name of an enforced policy that requires MFA for all users, or empty."""
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
        yield weakens(severity, f"{change} All users can be phished for access to their data.")
    elif after < before:
        yield strengthens(change)


def rollout_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """Which users sign in with Microsoft instead of the federated provider, or vice versa."""
    names = ("feature", "isEnabled", "isAppliedToOrganization", "appliesTo")
    old, new = subject.before or {}, subject.after or {}
    changed = [name for name in names if old.get(name) != new.get(name)]
    if changed:
        features = listed({*texts({"f": [old.get("feature"), new.get("feature")]}, "f")})
        reason = f"The staged rollout {subject.name} ({features}) changed how some users sign in."
        yield neutral(Severity.MEDIUM, reason)


CONSENT_REQUEST_SETTINGS = (
    Setting(
        "isEnabled",
        "the admin consent workflow",
        on_protects(),
        Severity.LOW,
        "Requests for apps no longer reach a reviewer",
    ),
    Setting("notifyReviewers", "email to reviewers", on_protects(), Severity.LOW),
    Members(
        "reviewers",
        "the reviewers of consent requests",
        Severity.MEDIUM,
        key="query",
        effect="They decide which apps are allowed in the tenant",
    ),
)

GUEST_SOURCES = ("CISA ScubaGear: MS.AAD.8.1 to 8.3", "Maester: EIDSCA authorization policy")

RULES = (
    Rule(
        "security-defaults",
        "Security defaults were turned on or off",
        DEFAULTS,
        MFA_TECHNIQUE,
        security_defaults,
        ("Maester MT.1021",),
    ),
    Rule(
        "authorization-policy",
        "Permissions of guests and ordinary users changed",
        AUTHORIZATION,
        "T1484",
        watching(AUTHORIZATION_SETTINGS),
        GUEST_SOURCES,
    ),
    Rule(
        "user-consent-policy",
        "User consent settings changed",
        AUTHORIZATION,
        "T1528",
        user_consent,
        ("CISA ScubaGear: MS.AAD.5.2",),
    ),
    Rule(
        "self-service-sign-up",
        "Self-service sign-up of external users changed",
        FLOWS,
        "T1136.003",
        watching(
            (
                Setting(
                    "selfServiceSignUp/isEnabled",
                    "self-service sign-up",
                    off_protects(),
                    Severity.MEDIUM,
                    "External users can create guest accounts themselves",
                ),
            )
        ),
    ),
    Rule(
        "consent-requests",
        "Reviewers of consent requests changed",
        CONSENT_REQUESTS,
        "T1528",
        watching(CONSENT_REQUEST_SETTINGS),
        ("CISA ScubaGear: MS.AAD.5.3",),
    ),
    Rule(
        "authentication-context-withdrawn",
        "The availability of an authentication context changed",
        CONTEXTS,
        "T1556.009",
        watching(
            (
                Setting(
                    "isAvailable",
                    "availability to apps",
                    on_protects(),
                    Severity.MEDIUM,
                    "Apps and protected actions can no longer require its policies",
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
        "A sign-in policy or authentication context was created or deleted",
        "T1556.009",
        {
            CONTEXTS[0]: Life(
                created=always(Severity.LOW, "Policies can now require this authentication context"),
                deleted=opens(
                    Severity.MEDIUM, "Resources that required it are no longer protected by its policies"
                ),
            ),
            FLOWS[0]: Life(deleted=always(Severity.LOW, "Its settings were reset to Microsoft's defaults")),
            CONSENT_REQUESTS[0]: Life(deleted=always(Severity.LOW, "Users can no longer request consent")),
            "deviceRegistrationPolicy": Life(
                deleted=opens(Severity.MEDIUM, "Devices join with Microsoft's defaults")
            ),
            AUTHORIZATION[0]: Life(deleted=opens(Severity.MEDIUM, "Microsoft's defaults apply to all users")),
        },
    ),
)
