"""Loaded before the settings are: every test run has a data folder of its own, swept when it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ["FARVIEW_DATA_DIR"] = tempfile.mkdtemp(prefix="farview-test-")
atexit.register(shutil.rmtree, os.environ["FARVIEW_DATA_DIR"], ignore_errors=True)
