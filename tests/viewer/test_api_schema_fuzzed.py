"""Every operation of the OpenAPI schema, asked by schemathesis what nobody foresaw: no answer is 5xx."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.browser.reporting.people import people
from tests.live import LiveServer

SECONDS = "30"
FRESH = random.SystemRandom().randrange(1, 2**31)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer() as server:
        yield server


@pytest.mark.parametrize("seed", [20260711, FRESH], ids=["fixed", "fresh"])
def test_no_operation_of_the_schema_fails(server: LiveServer, seed: int) -> None:
    name = f"alice{seed}"
    token = people(server, {name: ["radiologist", "admin", "technologist"]})[name].token
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/schema/"),
            *("-H", f"Authorization: Bearer {token}", "--checks", "not_a_server_error"),
            *("--phases", "coverage,fuzzing", "--max-examples", "5", "--max-time", SECONDS),
            *("--exclude-path", "/api/uploads/", "--seed", str(seed), "--request-timeout", "60", "--no-color"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print(f"seed {seed}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
    before, failed, trace = server.log().partition("Traceback")
    assert not failed, before[-600:] + trace[:4000]
