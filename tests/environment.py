"""Loaded before the settings are: every test run has a data folder of its own, swept when it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

os.environ["FARVIEW_DATA_DIR"] = tempfile.mkdtemp(prefix="farview-test-")
# Images for containers often forbid Python to keep what it compiled. Here hundreds of processes start, and each would
# compile every module, and pytest every test, again: a server's start would cost half as much more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A run that a shell started in the background was told to ignore interrupts, and would tell so every server it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The first process of a run names the folder that all of its workers share.
RUN = Path(os.environ.setdefault("FARVIEW_TEST_RUN", os.environ["FARVIEW_DATA_DIR"]))
atexit.register(shutil.rmtree, os.environ["FARVIEW_DATA_DIR"], ignore_errors=True)
