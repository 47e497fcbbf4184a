"""The docs page of what is proven by which round trip. `python -m tests.roundtrip.table` writes it."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.roundtrip.model import Case, World
from tests.roundtrip.registry import all_cases

PAGE = Path(__file__).parents[2] / "docs" / "round-trips.md"
_HEAD = """\
# Round trips

This page is written from `tests/roundtrip/cases/`. Each line is played by
`tests/roundtrip/test_roundtrips.py::test_an_attack_is_undone[<case>: <attack>]`: the attack over the emulator's API,
detection, plan, approval, execution, verification, and a comparison of everything that the emulated cloud holds with
what it held before, new IDs aside (`tests/roundtrip/judge.py`, which shares no code with the product).
*Impossible* says why Microsoft's API leaves nothing to attack or nothing to restore with.

| case | attack | result |
|---|---|---|
"""


def markdown() -> str:
    return _HEAD + "".join(
        line for case in sorted(all_cases(), key=lambda each: each.name) for line in _lines(case)
    )


def _lines(case: Case) -> Iterator[str]:
    nowhere = World(read=lambda _path: {})
    for name, _ in case.attacks(nowhere):
        lost = case.lost.get(name)
        result = (
            f"restored without {', '.join(sorted(lost))}, as the plan says" if lost else "restored, verified"
        )
        yield f"| `{case.name}` | {name} | {result} |\n"
    for name, why in case.impossible():
        yield f"| `{case.name}` | {name} | impossible: {why} |\n"


def main(arguments: list[str]) -> int:
    page = markdown()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
            sys.stderr.write("docs/round-trips.md is not what the cases say. Run: make docs\n")
            return 1
        return 0
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
