"""The docs say what is true: generated pages are up to date, and every test that a page names exists."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
NAMED_TESTS = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs/invariants.md").read_text()))
)


def test_the_generated_pages_are_what_the_declarations_say() -> None:
    call_command("generate_docs", check=True)


@pytest.mark.parametrize(("file", "name"), NAMED_TESTS)
def test_a_test_that_proves_an_invariant_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text()


def test_every_invariant_has_its_tests() -> None:
    rows = re.findall(r"^\| (\d+) \|.*`tests/", (ROOT / "docs/invariants.md").read_text(), re.MULTILINE)
    numbers = [int(row) for row in rows]
    assert numbers == sorted(set(numbers))
    assert numbers[:12] == list(range(1, 13))


def test_every_setting_of_the_readme_is_read() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("### Settings") : readme.index("An installation counts as production")]
    places = ("settings.py", "configuration/environment.py", "configuration/secrets.py")
    source = "".join((ROOT / "lavawall" / name).read_text() for name in places)
    named = set(re.findall(r"`([A-Z_]{6,})`", table)) - {"REQUESTS_CA_BUNDLE"}
    assert named
    assert [name for name in sorted(named) if f'"{name}"' not in source] == []


@pytest.mark.parametrize(
    "link", sorted(set(re.findall(r"\]\((docs/[^)#]+)\)", (ROOT / "README.md").read_text())))
)
def test_what_the_readme_shows_is_there(link: str) -> None:
    assert (ROOT / link).exists()
