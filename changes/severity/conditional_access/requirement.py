"""What a Conditional Access policy requires of a sign-in, as comparable alternatives of controls. Used by
`policies`. A requirement is weaker than another if it accepts a sign-in that the other does not.
"""

from dataclasses import dataclass

from changes.severity import reference
from changes.severity.model import Context, Side
from changes.severity.readers import text, texts, word, words
from snapshots.catalog.spec import Document

MFA = 4
"""The level of plain multi-factor authentication, and of a strength whose combinations are not known."""
OTHER_CONTROL = 2
"""Terms of use and custom factors."""
_STRENGTH_LEVELS = {1: 1, 2: MFA, 3: MFA, 4: 5, 5: 6}
"""Level by the rank of a strength's weakest combination. Plain MFA also accepts text messages, so both have
the same level.
"""


@dataclass(frozen=True)
class Control:
    name: str
    level: int
    proof: bool = False
    """A proof of identity (MFA or an authentication strength): a higher one satisfies a lower one."""
    known: bool = True

    def satisfies(self, other: "Control") -> bool:
        if self.name == other.name:
            return True
        if not (self.proof and other.proof):
            return False
        return self.level > other.level or (self.level == other.level and other.known)


@dataclass(frozen=True)
class Requirement:
    """`clauses` are alternatives, each a set of controls that must all be met."""

    clauses: frozenset[frozenset[Control]]
    blocks: bool = False

    @property
    def admits_everybody(self) -> bool:
        return not self.blocks and any(not clause for clause in self.clauses)

    @property
    def controls(self) -> frozenset[Control]:
        return frozenset().union(*self.clauses)

    @property
    def multi_factor(self) -> bool:
        return any(control.proof and control.level >= MFA for control in self.controls)

    @property
    def level(self) -> tuple[int, int]:
        """The level of the easiest alternative, and its number of controls."""
        if self.blocks:
            return (100, 0)
        return min(
            ((max((control.level for control in clause), default=0), len(clause)) for clause in self.clauses),
            default=(0, 0),
        )

    def admits_more_than(self, other: "Requirement") -> bool:
        if self.blocks:
            return False
        if other.blocks:
            return True
        return not all(any(_entails(clause, wanted) for wanted in other.clauses) for clause in self.clauses)

    def weaker_than(self, other: "Requirement") -> bool:
        if not self.admits_more_than(other):
            return False
        return not other.admits_more_than(self) or self.level < other.level

    def describe(self) -> str:
        if self.blocks:
            return "block"
        if self.admits_everybody:
            return "no controls"
        joiner = " or " if len(self.clauses) > 1 else " and "
        return joiner.join(sorted(control.name for control in self.controls))


def _entails(clause: frozenset[Control], wanted: frozenset[Control]) -> bool:
    return all(any(control.satisfies(one) for control in clause) for one in wanted)


def requirement_of(document: Document | None, context: Context, side: Side) -> Requirement:
    built_in = words(document, "grantControls", "builtInControls") - {"unknownfuturevalue"}
    if "block" in built_in:
        return Requirement(frozenset(), blocks=True)
    labels = {name.casefold(): name for name in texts(document, "grantControls", "builtInControls")}
    controls = {
        Control(_CONTROL_NAMES.get(name, labels.get(name, name)), level, proof=name == "mfa")
        for name in built_in
        for level in (reference.CONTROL_RANKS.get(name, OTHER_CONTROL),)
    }
    for key in ("termsOfUse", "customAuthenticationFactors"):
        controls |= {
            Control(f"{_CONTROL_NAMES[key]} {name}", OTHER_CONTROL)
            for name in words(document, "grantControls", key)
        }
    if strength := word(document, "grantControls", "authenticationStrength", "id"):
        controls.add(strength_control(strength, context, side))
    if word(document, "grantControls", "operator") == "or" and controls:
        return Requirement(frozenset(frozenset({control}) for control in controls))
    return Requirement(frozenset({frozenset(controls)}))


_CONTROL_NAMES = {
    "mfa": "multi-factor authentication",
    "compliantdevice": "a compliant device",
    "domainjoineddevice": "a hybrid joined device",
    "approvedapplication": "an approved app",
    "compliantapplication": "an app protection policy",
    "passwordchange": "a password change",
    "riskremediation": "risk remediation",
    "termsOfUse": "terms of use",
    "customAuthenticationFactors": "custom factor",
}


def strength_control(strength_id: str, context: Context, side: Side) -> Control:
    if strength_id in reference.BUILT_IN_STRENGTHS:
        name, rank = reference.BUILT_IN_STRENGTHS[strength_id]
        return Control(f"strength {name}", _STRENGTH_LEVELS[rank], proof=True)
    document = context.get(side, "authenticationStrengthPolicy", strength_id)
    combinations = texts(document, "allowedCombinations")
    label = f"strength {text(document, 'displayName') or strength_id}"
    if not combinations:
        return Control(label, MFA, proof=True, known=False)
    weakest = min(reference.combination_rank(combination) for combination in combinations)
    return Control(label, _STRENGTH_LEVELS[weakest], proof=True)
