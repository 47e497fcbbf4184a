"""manage.py emulate as an operator starts it: in a process of its own, stopped by a signal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]


def test_emulate_prints_its_facts_serves_and_stops_on_a_signal(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "emulate", "--port", "0", "--users", "2", "--json"]
    process = subprocess.Popen(
        [*command, "--ca-file", str(tmp_path / "ca.pem")],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["ca_file"] == str(tmp_path / "ca.pem")
        assert [each["name"] for each in facts["tenants"]] == [
            "Aurora Dental",
            "Aurora Labs",
            "Brenner Logistics",
        ]
        with requests.Session() as http:
            http.trust_env = False
            http.verify = facts["ca_file"]
            tenant = facts["tenants"][0]
            form = {
                "grant_type": "client_credentials",
                "client_id": tenant["reader"]["client_id"],
                "client_secret": tenant["reader"]["secret"],
                "scope": f"{facts['graph_url']}/.default",
            }
            url = f"{facts['login_url']}/{tenant['directory_id']}/oauth2/v2.0/token"
            assert http.post(url, data=form, timeout=10).json()["token_type"] == "Bearer"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()
