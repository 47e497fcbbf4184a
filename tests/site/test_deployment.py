"""Containers run with the least they need, and the tools around a deployment tell the truth."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.cache import cache
from django.core.management import CommandError, call_command

from lavawall.processes import watchdog

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.mark.parametrize("name", ["database", "migrate", "web", "worker"])
def test_every_container_runs_with_the_least_it_needs(services: dict[str, dict[str, Any]], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_web_and_worker_wait_for_the_migration_and_tell_their_health(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert "healthcheck" in services[name]
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_the_database_has_a_password_and_a_network_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert services["database"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database_password"
    assert services["web"]["environment"]["DATABASE_PASSWORD_FILE"] == "/run/secrets/database_password"
    assert services["database"]["networks"] == ["database"]
    assert compose["networks"]["database"]["internal"] is True
    assert "ports" not in services["database"]


def test_the_code_in_the_image_belongs_to_nobody_who_runs_it() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "chown" not in dockerfile
    assert "\nUSER lavawall\n" in dockerfile


def test_secrets_are_made_once_behind_a_closed_folder(tmp_path: Path) -> None:
    def run() -> None:
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "make_secrets.py")],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    run()
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    run()

    assert set(first) == {"secret_key", "master_key", "database_password"}
    assert len(set(first.values())) == 3
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_git_ignores_the_secrets() -> None:
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "secrets/master_key"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def audited(tmp_path: Path, message: str, status: int, **environment: str) -> int:
    """The exit status of the dependency audit, with a pip-audit that says this."""
    (tmp_path / "pip_audit").mkdir()
    (tmp_path / "pip_audit" / "__init__.py").write_text("")
    (tmp_path / "pip_audit" / "__main__.py").write_text(f"print({message!r})\nraise SystemExit({status})\n")
    return subprocess.run(
        [sys.executable, "tools/audit_dependencies.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), **environment},
        check=False,
        capture_output=True,
    ).returncode


@pytest.mark.parametrize(
    ("message", "status", "offline", "expected"),
    [
        ("No known vulnerabilities found", 0, "0", 0),
        ("Found 1 known vulnerability in 1 package", 1, "1", 1),
        ("ConnectionError: Max retries exceeded", 1, "0", 3),
        ("ConnectionError: Max retries exceeded", 1, "1", 0),
        ("django: Dependency not found and could not be audited", 0, "0", 3),
        ("django: Dependency not found and could not be audited", 0, "1", 0),
    ],
)
def test_an_audit_without_data_is_no_clean_audit(
    tmp_path: Path, message: str, status: int, offline: str, expected: int
) -> None:
    assert audited(tmp_path, message, status, AUDIT_OFFLINE=offline) == expected


def test_the_workers_health_is_the_progress_of_its_queue(db: None) -> None:
    cache.clear()
    with pytest.raises(CommandError, match="no progress"):
        call_command("work", "--check")

    watchdog.saw_tick()

    call_command("work", "--check")
