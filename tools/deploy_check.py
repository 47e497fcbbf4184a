"""Runs `manage.py check --deploy` as production would start: made-up secrets, a server database, a public host name."""

import base64
import os
import secrets
import subprocess
import sys


def main() -> int:
    environment = {
        **os.environ,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "LAVAWALL_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": "postgres://lavawall@127.0.0.1:5432/lavawall",
        "ALLOWED_HOSTS": "lavawall.example.com",
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
