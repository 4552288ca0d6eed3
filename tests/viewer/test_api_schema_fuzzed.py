"""Every operation of the OpenAPI schema, asked by schemathesis what nobody foresaw: no answer is 5xx.

Always the same here; `make soak` draws a fresh seed beside it, which a failure names and FARVIEW_FUZZ_SEED repeats.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.browser.reporting.people import people
from tests.live import LiveServer

pytestmark = pytest.mark.soak

ASKED = int(os.environ.get("FARVIEW_FUZZ_SEED", "0"))
LONG = bool(os.environ.get("FARVIEW_SOAK"))
SECONDS = "120" if LONG else "30"
SEEDS = {
    "fixed": 20260711,
    **({"fresh": ASKED or random.SystemRandom().randrange(1, 2**31)} if LONG or ASKED else {}),
}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer() as server:
        yield server


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
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
        timeout=600,
    )
    assert done.returncode == 0, f"FARVIEW_FUZZ_SEED={seed} repeats it\n{done.stdout[-6000:]}{done.stderr[-2000:]}"
    assert "passed" in done.stdout
    before, failed, trace = server.log().partition("Traceback")
    assert not failed, f"FARVIEW_FUZZ_SEED={seed} repeats it\n{before[-600:]}{trace[:4000]}"
