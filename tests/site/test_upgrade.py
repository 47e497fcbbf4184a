"""A database of the release before this one is carried over by its migrations, and proves itself afterwards."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from changes.models import Change, Resolution
from lavawall import integrity
from rollbacks.models import Rollback
from tenants.models import LedgerEntry, Tenant
from tests.rollbacks.conftest import Incident, Scene, incident, scene

__all__ = ["incident", "scene"]

BEFORE = [
    ("tenants", "0006_run_owner"),
    ("changes", "0005_resolutions"),
    ("rollbacks", "0006_remove_execution_verified_snapshot"),
]


def test_history_of_the_release_before_still_proves_itself(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    rows = {model: model._base_manager.count() for model in (Change, Resolution, Rollback, LedgerEntry)}
    try:
        MigrationExecutor(connection).migrate(BEFORE)
    finally:
        ahead = MigrationExecutor(connection)
        ahead.migrate(ahead.loader.graph.leaf_nodes())
    assert {model: model._base_manager.count() for model in rows} == rows
    assert list(integrity.faults(Tenant.objects.all())) == []
