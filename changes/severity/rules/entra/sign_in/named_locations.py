"""Rules on named locations: adding addresses weakens policies that exclude the location and strengthens
policies that include it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.conditional_access.policies import read_policy
from changes.severity.conditional_access.policy_value import aims_at_administrators
from changes.severity.model import Context, Hit, Rule, Severity, Side, Subject, neutral, strengthens, weakens
from changes.severity.network.address_ranges import FEW, MANY, AddressSet
from changes.severity.readers import counted, is_true, listed, rows, text, word, words
from changes.severity.surroundings import is_enforced, policies_that
from snapshots.catalog.spec import Document
from snapshots.catalog.words import country

LOCATION = ("namedLocation",)
TRUSTED = "alltrusted"


@dataclass(frozen=True)
class Use:
    """The enforced policies that exclude a location (`excluded`) or apply to it (`included`)."""

    excluded: tuple[str, ...]
    included: tuple[str, ...]
    administrators: bool

    @property
    def unused(self) -> bool:
        return not self.excluded and not self.included

    @property
    def severity(self) -> Severity:
        return Severity.MEDIUM if self.unused else Severity.HIGH

    @property
    def note(self) -> str:
        if self.excluded:
            return f" It is excluded from {listed(self.excluded)}."
        return f" It is included in {listed(self.included)}." if self.included else ""


def use_of(subject: Subject, context: Context, side: Side, document: Document | None) -> Use:
    wanted = [subject.resource_id.casefold()]
    if is_true(document, "isTrusted"):
        wanted.append(TRUSTED)
    found: dict[str, set[str]] = {"excludeLocations": set(), "includeLocations": set()}
    administrators = False
    for name, policies in found.items():
        for key in wanted:
            for policy in policies_that(context, side, "locations", (name,), key):
                if is_enforced(policy):
                    policies.add(f"policy {text(policy, 'displayName')}")
                    administrators |= aims_at_administrators(read_policy(policy, context, side), context)
    return Use(
        tuple(sorted(found["excludeLocations"])), tuple(sorted(found["includeLocations"])), administrators
    )


def _either_use(subject: Subject, context: Context) -> Use:
    """The use before or after the change; the location counts as trusted if it is trusted on either side."""
    trusted = {"isTrusted": is_true(subject.before, "isTrusted") or is_true(subject.after, "isTrusted")}
    after = use_of(subject, context, "after", trusted)
    return use_of(subject, context, "before", trusted) if after.unused else after


def _ranges(document: Document | None) -> AddressSet:
    return AddressSet.of(
        text(dict(row), "cidrAddress") for row in rows(document, "ipRanges") if row.get("cidrAddress")
    )


def _countries(document: Document | None) -> frozenset[str]:
    unknown = {"unknown countries"} if is_true(document, "includeUnknownCountriesAndRegions") else set()
    return words(document, "countriesAndRegions") | unknown


def _extent(ranges: AddressSet, added: int) -> Severity:
    if ranges.everything or added > MANY:
        return Severity.HIGH
    return Severity.MEDIUM


def location_widened(subject: Subject, context: Context) -> Iterator[Hit]:
    """Addresses or countries were added."""
    if subject.kind != "updated":
        return
    old, new = _ranges(subject.before), _ranges(subject.after)
    added = new.beyond(old)
    countries = _countries(subject.after) - _countries(subject.before)
    if added <= 0 and not countries:
        return
    what = counted(added, "address") if added == 1 else f"{added} addresses"
    gained = f"{what} more" if added > 0 else listed(map(country, countries))
    if new.everything and not old.everything:
        gained = "every address on the internet"
    yield from _reach_changed(
        subject, context, wider=True, what=gained, extent=_extent(new, added), added=added
    )


def location_narrowed(subject: Subject, context: Context) -> Iterator[Hit]:
    """Addresses or countries were removed."""
    if subject.kind != "updated":
        return
    old, new = _ranges(subject.before), _ranges(subject.after)
    removed = old.beyond(new)
    countries = _countries(subject.before) - _countries(subject.after)
    if removed <= 0 and not countries:
        return
    lost = f"{removed} fewer addresses" if removed > 0 else f"no longer {listed(map(country, countries))}"
    yield from _reach_changed(subject, context, wider=False, what=lost, extent=Severity.MEDIUM, added=removed)


def _reach_changed(
    subject: Subject, context: Context, *, wider: bool, what: str, extent: Severity, added: int
) -> Iterator[Hit]:
    use = _either_use(subject, context)
    sentence = f"Location {subject.name} now contains {what}.{use.note}"
    opened = use.excluded if wider else use.included
    if opened or (wider and use.unused):
        severity = extent
        if opened and added > FEW:
            severity = Severity.HIGH
        if opened and use.administrators:
            severity = Severity.HIGH
        yield weakens(severity, sentence)
    else:
        yield strengthens(sentence)


def location_trusted(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = is_true(subject.before, "isTrusted"), is_true(subject.after, "isTrusted")
    if after and not before:
        use = _either_use(subject, context)
        ranges = _ranges(subject.after)
        severity = max(
            Severity.HIGH if use.excluded else Severity.MEDIUM,
            _extent(ranges, ranges.size),
        )
        yield weakens(
            severity, f"Location {subject.name} ({ranges.size} addresses) is now trusted.{use.note}"
        )
    elif before and not after and subject.kind == "updated":
        use = _either_use(subject, context)
        if use.included and not use.excluded:
            yield weakens(Severity.MEDIUM, f"Location {subject.name} is no longer trusted.{use.note}")
        else:
            yield strengthens(f"Location {subject.name} is no longer trusted.{use.note}")


def location_deleted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "deleted":
        return
    use = use_of(subject, context, "before", subject.before)
    sentence = f"Location {subject.name} was deleted.{use.note}"
    if use.included:
        yield weakens(Severity.HIGH, f"{sentence} The policy no longer applies there.")
    else:
        yield neutral(Severity.MEDIUM, sentence)


def lookup_weakened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    gps = "authenticatorappgps"
    before, after = word(subject.before, "countryLookupMethod"), word(subject.after, "countryLookupMethod")
    if before == gps != after:
        yield weakens(
            Severity.MEDIUM,
            f"Location {subject.name} uses the IP address of a sign-in instead of the phone's position. "
            "A proxy in the country is enough to pass.",
        )
    elif after == gps != before:
        yield strengthens(f"Location {subject.name} now uses the phone's position.")


TECHNIQUE = "T1556.009"
IDEA = ("Elastic: Entra ID Conditional Access Policy (CAP) Modified",)

RULES = (
    Rule(
        "named-location-widened",
        "A location gained addresses or countries",
        LOCATION,
        TECHNIQUE,
        location_widened,
        IDEA,
    ),
    Rule(
        "named-location-narrowed",
        "A location lost addresses or countries",
        LOCATION,
        TECHNIQUE,
        location_narrowed,
        IDEA,
    ),
    Rule(
        "named-location-trusted",
        "The trust in a location changed",
        LOCATION,
        TECHNIQUE,
        location_trusted,
        IDEA,
    ),
    Rule("named-location-deleted", "A location was deleted", LOCATION, TECHNIQUE, location_deleted, IDEA),
    Rule(
        "named-location-lookup",
        "The country lookup of a location changed",
        LOCATION,
        TECHNIQUE,
        lookup_weakened,
        IDEA,
    ),
)
