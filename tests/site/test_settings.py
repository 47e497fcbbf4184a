"""How the platform starts: with real secrets or not at all. Each case is a process of its own."""

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "Vh3_tq0cXr7-nB2ZpW9fKd5sLm8aYeJu"
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
GIVEN = {"SECRET_KEY": SECRET_KEY, "LAVAWALL_MASTER_KEY": MASTER_KEY}
POSTGRES = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
REPORT = """
import json
from lavawall import settings
print(json.dumps({
    "production": settings.PRODUCTION,
    "secret_key": settings.SECRET_KEY,
    "master_key": settings.SECRETS.master_key.hex(),
    "previous": settings.SECRETS.previous_master_key and settings.SECRETS.previous_master_key.hex(),
    "shows": any(
        text in repr(settings.SECRETS)
        for text in (settings.SECRET_KEY, repr(settings.SECRETS.master_key), settings.SECRETS.master_key.hex())
    ),
    "secure": getattr(settings, "SESSION_COOKIE_SECURE", False),
    "pace": settings.LAVAWALL_PACE,
    "cookies": [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.DEVICE_COOKIE_NAME]
    if settings.PRODUCTION else [],
    "password": settings.DATABASE.get("PASSWORD", ""),
}))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def started(**environment: str) -> dict[str, str]:
    done = run("-c", REPORT, **environment)
    assert done.returncode == 0, done.stderr
    report: dict[str, str] = json.loads(done.stdout)
    return report


def refused(**environment: str) -> str:
    """The one line with which the platform refuses to start."""
    done = run("manage.py", "check", **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "production", [POSTGRES, {"ALLOWED_HOSTS": "lavawall.msp.test"}], ids=["database", "host"]
)
@pytest.mark.parametrize("missing", ["SECRET_KEY", "LAVAWALL_MASTER_KEY"])
def test_production_refuses_to_start_without_a_secret(
    tmp_path: Path, production: dict[str, str], missing: str
) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    line = refused(**database | given | production)
    assert f"{missing} must be set in production" in line
    assert not list(tmp_path.iterdir())


def test_production_starts_with_both_secrets_and_hardens_cookies() -> None:
    report = started(**POSTGRES, **GIVEN)
    assert report["production"]
    assert report["secure"]
    assert all(name.startswith("__Host-") for name in report["cookies"])
    assert report["secret_key"] == SECRET_KEY
    assert report["pace"] == "published"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SECRET_KEY", "changeme" * 8, "placeholder"),
        ("SECRET_KEY", "django-insecure-" + "x1y2" * 10, "placeholder"),
        ("SECRET_KEY", "k9Zq-k9Zq", "shorter than 32"),
        ("LAVAWALL_MASTER_KEY", "not base64!", "is not base64"),
        ("LAVAWALL_MASTER_KEY", base64.b64encode(b"x" * 31).decode(), "must be 32 random bytes"),
        ("LAVAWALL_MASTER_KEY", base64.b64encode(bytes(32)).decode(), "must be 32 random bytes"),
        ("LAVAWALL_PREVIOUS_MASTER_KEY", "zz", "LAVAWALL_PREVIOUS_MASTER_KEY"),
        ("DEBUG", "on", "DEBUG must be off"),
        ("LAVAWALL_PACE", "fast", "must be published or unlimited"),
        ("SECRET_KEY_FILE", "/no/such/file", "cannot be read"),
        ("SECRET_KEY_FILE", "/", "cannot be read"),
        ("SECRET_KEY_FILE", sys.executable, "is not a text file"),
        ("SECRET_KEY", "a" * 48, "is not random"),
        ("SECRET_KEY", "Vh3_tq0cXr7-nB2Z" * 3, "is not random"),
        (
            "LAVAWALL_MASTER_KEY",
            base64.b64encode(b"0123456789abcdef" * 2).decode(),
            "must be 32 random bytes",
        ),
        ("SECRET_KEY", MASTER_KEY, "have the same value"),
        ("SECURE_SSL_REDIRECT", "maybe", "SECURE_SSL_REDIRECT is 'maybe'; it must be on or off"),
        ("BEHIND_TLS_PROXY", "perhaps", "must be off, on, or the number of proxies"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS contains a wildcard"),
        ("ALLOWED_HOSTS", "lavawall.msp.test,*", "ALLOWED_HOSTS contains a wildcard"),
        ("ALLOWED_HOSTS", "https://lavawall.msp.test", "must contain host names"),
        ("LAVAWALL_WORKERS", "many", "LAVAWALL_WORKERS is 'many'; it must be a whole number from 1 to 64"),
        ("LAVAWALL_WORKERS", "0", "a whole number from 1 to 64"),
        ("DATABASE_CONN_MAX_AGE", "-1", "DATABASE_CONN_MAX_AGE is '-1'"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'; it must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("DATABASE_URL", "not a database", "DATABASE_URL is not a supported database"),
        (
            "DATABASE_URL",
            "mysql://lavawall:pass@127.0.0.1/lavawall",
            "DATABASE_URL is not a supported database",
        ),
        ("DATABASE_URL", "postgres://lavawall:pass@127.0.0.1:port/lavawall", "DATABASE_URL is malformed"),
        ("DATABASE_URL", "postgres://lavawall:pass@127.0.0.1:5432/", "DATABASE_URL is malformed"),
        ("DATABASE_PASSWORD_FILE", "/no/such/file", "DATABASE_PASSWORD_FILE points to /no/such/file"),
        ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL must start with redis://"),
        ("LAVAWALL_GEOIP_DB", "/no/such/file.mmdb", "LAVAWALL_GEOIP_DB points to /no/such/file.mmdb"),
    ],
)
def test_a_placeholder_or_malformed_setting_is_refused_without_showing_it(
    variable: str, value: str, words: str
) -> None:
    given = {name: each for name, each in GIVEN.items() if f"{name}_FILE" != variable}
    line = refused(**POSTGRES | given | {variable: value})
    assert words in line
    if ("KEY" in variable and "FILE" not in variable) or variable == "DATABASE_URL":
        assert value not in line
        assert "pass" not in line.replace("PASSWORD", "")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    for name, value in GIVEN.items():
        (tmp_path / name).write_text(f"{value}\n")
    report = started(**POSTGRES, **{f"{name}_FILE": str(tmp_path / name) for name in GIVEN})
    assert report["secret_key"] == SECRET_KEY
    assert report["master_key"] == bytes(range(32)).hex()


def test_the_databases_password_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("swordfish\n")
    report = started(**POSTGRES, **GIVEN, DATABASE_PASSWORD_FILE=str(tmp_path / "password"))
    assert report["password"] == "swordfish"


def test_the_previous_master_key_is_taken_for_a_rotation() -> None:
    previous = base64.b64encode(bytes(range(1, 33))).decode()
    assert (
        started(**POSTGRES, **GIVEN, LAVAWALL_PREVIOUS_MASTER_KEY=previous)["previous"]
        == bytes(range(1, 33)).hex()
    )


def test_secrets_do_not_show_when_printed() -> None:
    assert not started(**POSTGRES, **GIVEN)["shows"]


def test_the_embedded_mode_makes_secrets_once_and_keeps_them_to_itself(tmp_path: Path) -> None:
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    first = started(**database)
    stored = tmp_path / "db.sqlite3.secrets"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {stored.name, "db.sqlite3"}
    assert stat.S_IMODE((tmp_path / "db.sqlite3").stat().st_mode) == 0o600
    assert started(**database) == first
    assert not first["production"]
    other = started(DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite3")
    assert {other["secret_key"], other["master_key"]}.isdisjoint({first["secret_key"], first["master_key"]})


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    processes = [
        subprocess.Popen([sys.executable, "-c", REPORT], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    reports = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(reports) == 1


def test_a_damaged_file_of_secrets_is_not_silently_replaced(tmp_path: Path) -> None:
    stored = tmp_path / "db.sqlite3.secrets"
    stored.write_text(f"SECRET_KEY={SECRET_KEY}\n")
    line = refused(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")
    assert "has no LAVAWALL_MASTER_KEY" in line
    assert stored.read_text() == f"SECRET_KEY={SECRET_KEY}\n"
