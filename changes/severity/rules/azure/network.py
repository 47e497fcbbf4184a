"""Rules on network security groups: what the internet can reach after a change, independent of how the rules
are written.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_

from changes.severity.declared_settings import Life, always, lives, opens
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.network.exposure import PORTS, management, ranges, reachable
from changes.severity.readers import Row, keyed, listed
from snapshots.catalog.spec import Document

GROUP = ("networkSecurityGroup",)
TECHNIQUE = "T1686.001"
SIGMA = ("Sigma: Azure Network Security Configuration Modified or Deleted",)
NEARLY_ALL = PORTS // 2


def exposure_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.after is None:
        return
    before, after = reachable(subject.before), reachable(subject.after)
    gained = {name: after[name] & ~before[name] for name in after}
    lost = {name: before[name] & ~after[name] for name in after}
    opened = reduce(or_, gained.values(), 0)
    if opened:
        what = "almost all ports" if opened.bit_count() > NEARLY_ALL else _named(gained)
        risky = opened.bit_count() > NEARLY_ALL or management(opened)
        kind = "including remote administration or databases" if risky else "Azure services only"
        yield weakens(
            Severity.HIGH if risky else Severity.MEDIUM,
            f"{subject.name} now lets the internet reach {what} ({kind}).",
        )
    elif any(lost.values()):
        yield strengthens(f"{subject.name} no longer lets the internet reach {_named(lost)}.")


def _named(by_protocol: Mapping[str, int]) -> str:
    return listed(f"{name} {each}" for name, ports in by_protocol.items() for each in ranges(ports)[:5])


def rules_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated" or reachable(subject.before) != reachable(subject.after):
        return
    old, new = _rules(subject.before), _rules(subject.after)
    changed = [name for name in old | new if old.get(name) != new.get(name)]
    if changed:
        reason = (
            f"Rules of {subject.name} changed ({listed(changed)}); what the internet can reach is unchanged."
        )
        yield neutral(Severity.LOW, reason)


def _rules(document: Document | None) -> dict[str, Row]:
    return keyed(document, "properties", "securityRules", key="name")


RULES = (
    Rule("nsg-exposure", "Exposure to the internet changed", GROUP, TECHNIQUE, exposure_changed, SIGMA),
    Rule(
        "nsg-rules",
        "Network rules changed without new exposure to the internet",
        GROUP,
        TECHNIQUE,
        rules_changed,
        SIGMA,
    ),
    lives(
        "nsg-life",
        "A network security group was created or deleted",
        TECHNIQUE,
        {
            GROUP[0]: Life(
                created=always(Severity.LOW, "It protects the subnets and interfaces that it is attached to"),
                deleted=opens(
                    Severity.MEDIUM, "The subnets and interfaces that it protected are open to their network"
                ),
            )
        },
        SIGMA,
    ),
)
