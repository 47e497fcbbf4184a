"""Grades one pair of objects without any tenant: severity, findings and JSON Patch."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser

from changes.diff import diff
from changes.severity.engine import grade
from changes.severity.model import EmptyContext, MappingContext, Subject
from lavawall.cli import ProductCommand
from snapshots.canonical import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType


class Command(ProductCommand):
    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--type", required=True, metavar="T")
        parser.add_argument("--before", metavar="FILE|-", help="Missing: the object did not exist.")
        parser.add_argument("--after", metavar="FILE|-", help="Missing: the object does not exist any more.")
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
            raise CommandError(
                "Give at least one of --before and --after: neither object exists.", returncode=2
            )
        named = after or before or {}
        subject = Subject(
            resource_type=spec.key,
            resource_id=str(named.get("id") or ""),
            before=canonicalise(before, spec) if before is not None else None,
            after=canonicalise(after, spec) if after is not None else None,
        )
        context = _context(options["context"]) if options["context"] else EmptyContext()
        verdict = grade(subject, context)
        difference = diff(subject.before, subject.after, spec)
        findings = [
            {
                "rule": finding.rule,
                "severity": finding.severity.value,
                "direction": finding.direction.value,
                "reason": finding.reason,
                "technique": finding.technique,
            }
            for finding in verdict.findings
        ]
        self.emit(
            {
                "changed": bool(difference),
                "severity": verdict.severity.value,
                "direction": verdict.direction.value,
                "findings": findings,
                "patch": difference.patch,
            },
            _lines(verdict.severity.value, findings, changed=bool(difference)),
            as_json=options["json"],
        )


def _lines(severity: str, findings: list[dict[str, Any]], *, changed: bool) -> Iterator[str]:
    yield severity if changed else "unchanged"
    for finding in findings:
        yield f"{finding['severity']:>13}  {finding['rule']}: {finding['reason']}"


def _object(source: str | None) -> Document | None:
    if source is None or (source != "-" and not Path(source).exists()):
        return None
    value = _json(source)
    if value is not None and not isinstance(value, dict):
        raise CommandError(f"{source} holds no JSON object.")
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
