"""Writes the generated docs. With --check, fails if they are not up to date."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from changes.audit import docs_page as audit_logs
from changes.severity import docs_page as severity_rules
from snapshots.catalog import docs_page as resource_types
from snapshots.catalog import permissions_page

PAGES: dict[str, Callable[[], str]] = {
    "docs/resource-types.md": resource_types.markdown,
    "docs/permissions.md": permissions_page.markdown,
    "docs/audit-logs.md": audit_logs.markdown,
    "docs/severity-rules.md": severity_rules.markdown,
}


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, **options: Any) -> None:
        stale = [
            name for name, make in PAGES.items() if self._differs(name, make(), write=not options["check"])
        ]
        if options["check"] and stale:
            raise CommandError(f"{', '.join(stale)} are out of date. Run: make docs")

    def _differs(self, name: str, content: str, *, write: bool) -> bool:
        path = Path(settings.BASE_DIR, name)
        if path.exists() and path.read_text(encoding="utf-8") == content:
            return False
        if write:
            path.write_text(content, encoding="utf-8")
            self.stdout.write(f"wrote {name}")
        return True
