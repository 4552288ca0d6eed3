"""Loaded before the settings are: every test run has a data folder of its own, swept when it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ["FARVIEW_DATA_DIR"] = tempfile.mkdtemp(prefix="farview-test-")
# The first process of a run names the folder that all of its workers share.
RUN = Path(os.environ.setdefault("FARVIEW_TEST_RUN", os.environ["FARVIEW_DATA_DIR"]))
atexit.register(shutil.rmtree, os.environ["FARVIEW_DATA_DIR"], ignore_errors=True)
