"""Creates the files that compose.yaml mounts as secrets. Keeps what exists: a new master key would lose all data.

The folder is for its owner alone (0700). The files in it can be read by the containers' user, which Compose mounts them
for one by one; on this machine the folder keeps everybody else out.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path("secrets")


def main() -> int:
    os.umask(0o077)
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    FOLDER.chmod(0o700)
    made = {
        "secret_key": base64.b64encode(os.urandom(32)).decode(),
        "master_key": base64.b64encode(os.urandom(32)).decode(),
        "database_password": secrets.token_urlsafe(32),
    }
    for name, value in made.items():
        path = FOLDER / name
        if path.exists():
            print(f"{path} exists and is kept.")
            continue
        path.write_text(f"{value}\n", encoding="utf-8")
        path.chmod(0o444)
        print(f"{path} was created.")
    print(
        "Keep a copy of secrets/master_key apart from the database's backups: without it nothing stored can be read."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
