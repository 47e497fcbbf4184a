"""What the tests carry of the published facts is what the facts say, and nothing is skipped where it must not be."""

from pathlib import Path

import pytest

from tests import facts


@pytest.mark.facts
@pytest.mark.parametrize("name", facts.DERIVED)
def test_the_carried_tables_are_what_the_published_facts_say(name: str) -> None:
    assert facts.DERIVED[name]() == facts.derived(name), "derive them anew: make facts"


def test_without_the_facts_a_test_is_skipped_and_in_ci_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "FACTS", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="LAVAWALL_FACTS"):
        facts.require()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="LAVAWALL_FACTS"):
        facts.require()
