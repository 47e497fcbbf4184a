"""Runs pip-audit over the pinned requirements. Exit 0: audited and clean. 1: known vulnerabilities. 3: no data.

No data (the vulnerability service did not answer, or knows nothing about a package) fails, because nothing was checked;
AUDIT_OFFLINE=1 says that there cannot be any here, and turns it into a warning.
"""

import os
import subprocess
import sys

UNREACHABLE = (
    "ConnectionError",
    "Max retries",
    "NameResolution",
    "Failed to connect",
    "ServiceError",
    "Timeout",
)
UNKNOWN = "could not be audited"
NO_DATA = 3


def main() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    unknown = said.count(UNKNOWN)
    unreachable = done.returncode != 0 and any(word in said for word in UNREACHABLE)
    if not unreachable and not unknown:
        print(said.strip())
        return done.returncode
    if done.returncode and not unreachable:
        print(said.strip())
        return done.returncode
    what = f"knows nothing about {unknown} packages" if unknown else "did not answer"
    print(f"pip-audit: the vulnerability service {what}; nothing is known about their vulnerabilities.")
    if os.environ.get("AUDIT_OFFLINE") == "1":
        return 0
    print("Run it where the service can be reached, or set AUDIT_OFFLINE=1 to go on without.")
    return NO_DATA


if __name__ == "__main__":
    sys.exit(main())
