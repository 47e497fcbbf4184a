"""Grades one pair of objects without a tenant: severity, findings and JSON Patch."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser

from changes.diff.structural import Difference, shown_diff
from changes.severity.engine import grade
from changes.severity.model import Context, EmptyContext, MappingContext, Subject, Verdict
from lavawall.cli import ProductCommand
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType


class Command(ProductCommand):
    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--type", required=True, metavar="T")
        parser.add_argument(
            "--before", metavar="FILE|-", help="The object before the change. Default: it did not exist."
        )
        parser.add_argument(
            "--after", metavar="FILE|-", help="The object after the change. Default: it was deleted."
        )
        parser.add_argument(
            "--context", metavar="FILE", help='{"before": {type: {id: object}}, "after": …, "principals": …}'
        )

    def handle(self, **options: Any) -> None:
        if options["before"] == "-" and options["after"] == "-":
            raise CommandError(
                "Only one of --before and --after can be read from standard input.", returncode=2
            )
        spec = registry.get(options["type"])
        before, after = _object(options["before"]), _object(options["after"])
        if before is None and after is None:
            raise CommandError("At least one of --before and --after is required.", returncode=2)
        context = _context(options["context"]) if options["context"] else EmptyContext()
        graded = [_graded(spec, before, after, context), *_embedded(spec, before, after, context)]
        worst = max(
            (each.verdict for each in graded if each.difference), key=_weight, default=graded[0].verdict
        )
        findings = [
            {
                "rule": finding.rule,
                "severity": finding.severity.value,
                "direction": finding.direction.value,
                "reason": finding.reason,
                "technique": finding.technique,
            }
            for each in graded
            if each.difference or len(graded) == 1
            for finding in each.verdict.findings
        ]
        changed = any(each.difference for each in graded)
        self.emit(
            {
                "changed": changed,
                "severity": worst.severity.value,
                "direction": worst.direction.value,
                "findings": findings,
                "patch": [operation for each in graded for operation in each.patch],
            },
            _lines(worst.severity.value, findings, changed=changed),
            as_json=options["json"],
        )


@dataclass(frozen=True)
class Graded:
    """One pair of objects: the given one, or one embedded in it."""

    verdict: Verdict
    difference: Difference
    where: str = ""

    @property
    def patch(self) -> list[dict[str, Any]]:
        return [{**operation, "path": self.where + operation["path"]} for operation in self.difference.patch]


def _graded(
    spec: ResourceType, before: Document | None, after: Document | None, context: Context, where: str = ""
) -> Graded:
    named = after or before or {}
    subject = Subject(
        resource_type=spec.key,
        resource_id=str(named.get("id") or ""),
        before=canonicalise(before, spec) if before is not None else None,
        after=canonicalise(after, spec) if after is not None else None,
    )
    return Graded(grade(subject, context), shown_diff(subject.before, subject.after, spec), where)


def _embedded(
    spec: ResourceType, before: Document | None, after: Document | None, context: Context
) -> Iterator[Graded]:
    """Objects embedded in this one, such as the method configurations inside the authentication methods
    policy.
    """
    for inner in registry.all_types():
        if inner.read.items_at is None or inner.read.path != spec.read.path:
            continue
        old, new = _by_id(before, inner), _by_id(after, inner)
        for key in sorted(old.keys() | new.keys()):
            yield _graded(inner, old.get(key), new.get(key), context, f"/{inner.read.items_at}/{key}")


def _by_id(holder: Document | None, inner: ResourceType) -> dict[str, Document]:
    items = (holder or {}).get(inner.read.items_at or "")
    return {str(item["id"]): item for item in items or () if isinstance(item, dict) and "id" in item}


def _weight(verdict: Verdict) -> int:
    return verdict.severity.weight


def _lines(severity: str, findings: list[dict[str, Any]], *, changed: bool) -> Iterator[str]:
    yield severity if changed else "unchanged"
    for finding in findings:
        yield f"{finding['severity']:>13}  {finding['rule']}: {finding['reason']}"


def _object(source: str | None) -> Document | None:
    if source is None or (source != "-" and not Path(source).exists()):
        return None
    value = _json(source)
    if value is not None and not isinstance(value, dict):
        raise CommandError(f"{source} does not contain a JSON object.")
    return value


def _context(source: str) -> MappingContext:
    given = MappingContext.from_json(_json(source))
    return MappingContext(
        documents={
            side: {
                key: {name: canonicalise(raw, _spec(key)) for name, raw in objects.items()}
                for key, objects in types.items()
            }
            for side, types in given.documents.items()
        },
        principals=given.principals,
    )


def _spec(key: str) -> ResourceType:
    return registry.get(key)


def _json(source: str) -> Any:
    content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CommandError(
            f"{'Standard input' if source == '-' else source} is not JSON: {error}."
        ) from error
