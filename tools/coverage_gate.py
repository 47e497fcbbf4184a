"""Fails where the branch coverage of one of the four apps is below the bar. Called by `make coverage`."""

import json
import sys
from collections import Counter
from pathlib import Path

APPS = ("tenants", "snapshots", "changes", "rollbacks")
BAR = 90.0


def main() -> int:
    files = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"]
    covered: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for name, file in files.items():
        summary, app = file["summary"], name.split("/")[0]
        covered[app] += summary["covered_lines"] + summary["covered_branches"]
        total[app] += summary["num_statements"] + summary["num_branches"]
    short = False
    for app in APPS:
        percent = 100.0 * covered[app] / total[app] if total[app] else 0.0
        short = short or percent < BAR
        print(
            f"{app:<12} {percent:5.1f} % of lines and branches"
            + ("" if percent >= BAR else f"  < {BAR:.0f} %")
        )
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
