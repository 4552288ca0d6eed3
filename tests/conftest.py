"""Fixtures that every room uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts import audit
from accounts.acts import ACTS
from accounts.rates import buckets
from tests.emptying import emptying_the_test_database as emptying_the_test_database
from tests.live import live_server_process as live_server_process
from tests.reruns import pytest_runtest_logreport as pytest_runtest_logreport
from tests.reruns import pytest_terminal_summary as pytest_terminal_summary
from viewer.api import auditing
from viewer.serving.runtime import runtime

# How long an example takes says nothing on a machine that is shared.
hypothesis_settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("shared")


def _shared_data() -> Path:
    named = os.environ.get("FARVIEW_TEST_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts servers and browsers goes first: a file is one worker's, and a long one must not begin last."""
    items.sort(key=lambda item: next((at for at, part in enumerate(LONG) if part in item.nodeid), len(LONG)))
    if os.environ.get("CI"):
        for item in items:
            if any(part in item.nodeid for part in LONG):
                item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


LONG = (
    "tests/links/",
    "tests/peers/",
    "tests/browser/",
    "tests/viewer/serving/",
    "tests/viewer/archive/test_backup",
    "tests/viewer/archive/test_killed_server",
    "tests/viewer/test_api_schema_fuzzed",
    "tests/viewer/test_upgrade",
    "tests/accounts/matrix/",
    "tests/viewer/dimse/",
    "tests/reporting/delivery/",
    "tests/reporting/workflow/test_killed",
    "tests/reporting/worklist/test_live",
)
"""Servers, browsers and wires in processes of their own, on a gate's machine that is anybody's: decision 0028."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real DICOM files. Its absence is a failure in CI and a named skip elsewhere."""
    folder = _shared_data()
    if not (folder / "manifest.json").exists():
        message = f"no real DICOM files at {folder}; set FARVIEW_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def no_memory_of_other_tests_records() -> None:
    """Heads of a chain outlive the database of the test that wrote it, in the data folder of the run."""
    for name in ("audit_head", "audit_heads", "report_head", "report_heads"):
        (settings.FARVIEW_DATA_DIR / name).unlink(missing_ok=True)
    audit.KNOCKS.forget()
    ACTS.forget_all()  # rolled back rows give their numbers to the next test's sessions
    auditing.LATELY.forget()


@pytest.fixture(autouse=True)
def full_buckets() -> None:
    """Rolled back rows give their numbers to the next test's people."""
    buckets().forget()


@pytest.fixture(scope="module", autouse=True)
def _engine_is_stopped() -> Iterator[None]:
    """An engine that a test started in this process ends with its file: the next file's images may bear the same UIDs."""
    yield
    runtime().stop_private()
