"""An OpenID provider in a process of its own, whose people and faults a test chooses."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from tests.live import free_port

HOME = Path(__file__).resolve().parents[2] / ".venv" / "peers" / "openid"
SCRIPT = Path(__file__).with_name("openid_provider.mjs")
SECRET = "a secret of the test"
READY_SECONDS = 60.0


class OpenIdProvider:
    """npm's oidc-provider. `begin` and `end` may be called again: it keeps its port, not its key."""

    def __init__(self, redirect: str) -> None:
        self.port, self.redirect = free_port(), redirect
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.log = Path(tempfile.mkstemp(prefix="openid-", suffix=".log")[1])
        self.process: subprocess.Popen[bytes] | None = None
        self.people: dict[str, dict[str, Any]] = {}

    def begin(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["node", str(SCRIPT), str(HOME), str(self.port), self.redirect], stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.control(people=self.people, fault={})
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError(f"the OpenID provider is not ready:\n{self.log.read_text()}")

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def control(self, **told: Any) -> list[dict[str, str]]:
        """Tell it who is known (`people`: claims by subject) or what it does wrong (`fault`); what it was asked so far."""
        session = requests.Session()
        session.trust_env = False
        answer = session.post(f"{self.issuer}/control", json=told, timeout=10)
        found: list[dict[str, str]] = answer.json()["asked"]
        return found

    def know(self, subject: str, *groups: str, **claims: Any) -> None:
        self.people[subject] = {"preferred_username": subject, "groups": list(groups), **claims}
        self.control(people=self.people)
