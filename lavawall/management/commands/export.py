"""Writes a snapshot's resources, unencrypted, to a file that only its owner can read."""

import os
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from lavawall.cli import ProductCommand, operator
from snapshots.canonical.spelling import original
from snapshots.models import Snapshot
from snapshots.selectors import coverage_as_json, visible_snapshots
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.trust import ledger


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        parser.add_argument("--snapshot", required=True, type=int, metavar="N", help="The snapshot's ID.")
        parser.add_argument("--out", required=True, metavar="FILE")

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenant = permissions.tenant_named(actor, options["tenant"], Action.EXPORT)
        snapshot = visible_snapshots(actor).filter(tenant=tenant, pk=options["snapshot"]).first()
        if snapshot is None:
            raise CommandError(f"{tenant.name} has no snapshot {options['snapshot']}.")
        out = Path(options["out"])
        content = _content(snapshot)
        with transaction.atomic():
            ledger.record(
                actor,
                "snapshot:export",
                f"snapshot {snapshot.number} of {tenant.name}",
                tenant=tenant,
                file=str(out),
            )
            try:
                _write(out, content)
            except OSError as error:
                raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.emit(
            {
                "snapshot": snapshot.pk,
                "root": snapshot.root,
                "resources": snapshot.resource_count,
                "file": str(out),
            },
            [f"{snapshot.resource_count} resources of snapshot {snapshot.number} were written to {out}."],
            as_json=options["json"],
        )


def _content(snapshot: Snapshot) -> bytes:
    versions = list(content_store.state_at(snapshot))
    documents = content_store.documents(snapshot.tenant, (version.digest for version in versions))
    return orjson.dumps(
        {
            "tenant": snapshot.tenant.name,
            "directory_id": str(snapshot.tenant.directory_id),
            "snapshot": snapshot.pk,
            "number": snapshot.number,
            "completed_at": snapshot.completed_at.isoformat(),
            "root": snapshot.root,
            "coverage": coverage_as_json(snapshot),
            "resources": [
                {
                    "type": version.resource_type,
                    "id": version.resource_id,
                    "display_name": version.display_name,
                    "digest": version.digest,
                    "document": original(documents[version.digest]),
                }
                for version in versions
            ],
        },
        option=orjson.OPT_INDENT_2,
    )


def _write(path: Path, content: bytes) -> None:
    """Writes the file completely or not at all."""
    draft = path.with_name(f"{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
