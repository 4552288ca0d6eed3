"""The CUDA kernels without a graphics processor, in Numba's simulator, which has to be switched on before Numba is imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PICTURES = Path(__file__).with_name("test_device_pictures.py")


def test_in_the_simulator_the_kernels_draw_what_the_cpu_draws() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", str(PICTURES)],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        cwd=PICTURES.parents[3],
        capture_output=True,
        text=True,
        timeout=900,  # from a clean checkout every kernel is compiled in there first
    )
    assert found.returncode == 0, found.stdout + found.stderr
    passed = re.search(r"(\d+) passed", found.stdout)
    assert passed
    assert int(passed[1]) >= 30, found.stdout
