"""Runs pip-audit over the pinned requirements where its vulnerability service can be reached; says so where not."""

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


def main() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode and any(word in said for word in UNREACHABLE):
        print("pip-audit: its vulnerability service cannot be reached from here; nothing was audited.")
        return 0
    if unknown := said.count(UNKNOWN):
        print(
            f"pip-audit: the package index here has no vulnerability data for {unknown} packages; no verdict on them."
        )
        return done.returncode
    print(said.strip())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
