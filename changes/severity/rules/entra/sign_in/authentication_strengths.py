"""Rules on authentication strengths: which methods satisfy policies that require the strength."""

from collections.abc import Iterable, Iterator

from changes.severity import reference
from changes.severity.conditional_access.policies import read_policy
from changes.severity.conditional_access.policy_value import aims_at_administrators
from changes.severity.model import Context, Hit, Rule, Severity, Side, Subject, neutral, strengthens, weakens
from changes.severity.readers import Row, listed, rows, texts, word, words
from changes.severity.surroundings import is_enforced
from snapshots.catalog.spec import Document
from snapshots.catalog.words import combination

STRENGTH = ("authenticationStrengthPolicy",)
SINGLE_FACTOR = 1


def _combinations(document: Document | None) -> dict[frozenset[str], str]:
    return {reference.modes_of(text): text for text in texts(document, "allowedCombinations")}


def _weakest(combinations: dict[frozenset[str], str]) -> int:
    return min((reference.combination_rank(text) for text in combinations.values()), default=0)


def _users(subject: Subject, context: Context, side: Side) -> tuple[list[str], bool]:
    """Names of the enforced policies that require the strength, and whether one of them targets
    administrators.
    """
    names, administrators = [], False
    for document in context.all(side, "conditionalAccessPolicy").values():
        wanted = word(document, "grantControls", "authenticationStrength", "id")
        if is_enforced(document) and wanted == subject.resource_id.casefold():
            policy = read_policy(document, context, side)
            names.append(policy.name)
            administrators |= aims_at_administrators(policy, context)
    return sorted(names), administrators


def _called(combinations: Iterable[str]) -> str:
    return listed(map(combination, combinations))


def _note(names: list[str]) -> str:
    return f" Used by {listed(f'policy {name}' for name in names)}." if names else ""


def _surely_unused(context: Context, names: list[str]) -> bool:
    """Whether the context contains policies and none of them requires the strength."""
    return bool(context.all("after", "conditionalAccessPolicy")) and not names


def combinations_weakened(subject: Subject, context: Context) -> Iterator[Hit]:
    old, new = _combinations(subject.before), _combinations(subject.after)
    if subject.kind != "updated" or not old or not new:
        return
    added = [text for modes, text in new.items() if modes not in old]
    names, administrators = _users(subject, context, "after")
    before, after = _weakest(old), _weakest(new)
    if after < before:
        severity = Severity.MEDIUM if _surely_unused(context, names) else Severity.HIGH
        if after == SINGLE_FACTOR and administrators:
            severity = Severity.CRITICAL
        weak = [text for text in added if reference.combination_rank(text) < before]
        reason = (
            f"Strength {subject.name} now accepts {_called(weak or added)}: {reference.RANK_NAMES[after]} "
            f"instead of at least {reference.RANK_NAMES[before]}.{_note(names)}"
        )
        yield weakens(severity, reason)
    elif added and after == before:
        reason = (
            f"Strength {subject.name} also accepts {_called(added)}, no weaker than before.{_note(names)}"
        )
        yield neutral(Severity.LOW, reason)


def combinations_tightened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    old, new = _combinations(subject.before), _combinations(subject.after)
    if subject.kind == "updated" and new and (set(new) < set(old) or _weakest(new) > _weakest(old)):
        gone = [text for modes, text in old.items() if modes not in new]
        yield strengthens(f"Strength {subject.name} no longer accepts {_called(gone)}.")


def strength_single_factor(subject: Subject, context: Context) -> Iterator[Hit]:
    """All remaining combinations are a single factor, such as a password."""
    old, new = _combinations(subject.before), _combinations(subject.after)

    def single(combinations: dict[frozenset[str], str]) -> bool:
        ranks = [reference.combination_rank(text) for text in combinations.values()]
        return bool(ranks) and max(ranks) == SINGLE_FACTOR

    if single(new) and not single(old):
        names, administrators = _users(subject, context, "after")
        severity = Severity.CRITICAL if administrators else Severity.HIGH
        reason = (
            f"Strength {subject.name} accepts only single factors: {_called(new.values())}.{_note(names)}"
        )
        yield weakens(severity, reason)


def strength_deleted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "deleted":
        return
    names, _ = _users(subject, context, "before")
    unused = bool(context.all("before", "conditionalAccessPolicy")) and not names
    severity = Severity.HIGH if names else Severity.LOW if unused else Severity.MEDIUM
    yield weakens(severity, f"Strength {subject.name} was deleted.{_note(names)}")


def restriction_loosened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """The allowed security keys or certificate issuers were extended."""
    if subject.kind != "updated":
        return
    old, new = _restrictions(subject.before), _restrictions(subject.after)
    gone = [label for label in old if label not in new]
    wider = [label for label, allowed in old.items() if label in new and new[label] - allowed]
    tighter = [label for label in new if label not in old or old[label] - new[label]]
    if gone:
        reason = f"Strength {subject.name} no longer restricts {listed(gone)}."
        yield weakens(Severity.HIGH, reason)
    if wider:
        yield weakens(Severity.MEDIUM, f"Strength {subject.name} accepts more {listed(wider)}.")
    if tighter and not (gone or wider):
        yield strengthens(f"Strength {subject.name} restricts {listed(tighter)}.")


def _restrictions(document: Document | None) -> dict[str, frozenset[str]]:
    labels = {
        "allowedAAGUIDs": "security keys",
        "allowedIssuerSkis": "certificate issuers",
        "allowedPolicyOIDs": "certificate policies",
    }
    configurations: list[Row] = rows(document, "combinationConfigurations")
    found: dict[str, frozenset[str]] = {}
    for configuration in configurations:
        for name, label in labels.items():
            if allowed := words(dict(configuration), name):
                found[label] = found.get(label, frozenset()) | allowed
    return found


TECHNIQUE = "T1556.006"
IDEA = ("Sigma: CA Policy Updated by Non Approved Actor", "CISA ScubaGear: MS.AAD.3.1")

RULES = (
    Rule(
        "strength-combination-weakened",
        "A strength accepts a weaker combination",
        STRENGTH,
        TECHNIQUE,
        combinations_weakened,
        IDEA,
    ),
    Rule(
        "strength-combination-tightened",
        "A strength accepts fewer combinations",
        STRENGTH,
        "",
        combinations_tightened,
        IDEA,
    ),
    Rule(
        "strength-single-factor",
        "A strength accepts only single factors",
        STRENGTH,
        TECHNIQUE,
        strength_single_factor,
        IDEA,
    ),
    Rule("strength-deleted", "A strength was deleted", STRENGTH, TECHNIQUE, strength_deleted, IDEA),
    Rule(
        "strength-restriction-loosened",
        "A strength restricts keys or certificates less",
        STRENGTH,
        TECHNIQUE,
        restriction_loosened,
        IDEA,
    ),
)
