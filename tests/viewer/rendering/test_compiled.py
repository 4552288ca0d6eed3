"""The stamp of a kernel on disk: it must change with everything that is compiled into the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from viewer.rendering import compiled, grey
from viewer.rendering.compiled import stamp_of_imports

PARTS = {
    "constants.py": "TWICE = 2\n",
    "inner.py": "from .compiled import compiled\n\n@compiled\ndef inner(x):\n    return x + 1\n",
    "outer.py": """from .compiled import compiled
from .constants import TWICE
from .inner import inner

@compiled
def outer(x):
    return inner(x) * TWICE

print(outer(10), sum(outer.stats.cache_hits.values()))
""",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    shutil.copy(compiled.__file__, folder / "compiled.py")
    for name, text in PARTS.items():
        (folder / name).write_text(text)
    return folder


def result_and_hits(folder: Path) -> tuple[int, int]:
    """What `outer(10)` is in a new process, and how many kernels came from disk."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "few.outer"]
    done = subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=True)
    result, hits = done.stdout.split()
    return int(result), int(hits)


def test_a_kernel_is_compiled_anew_when_what_it_calls_in_another_file_changed(package: Path) -> None:
    assert result_and_hits(package) == (22, 0)
    assert result_and_hits(package) == (22, 1)

    (package / "inner.py").write_text(PARTS["inner.py"].replace("x + 1", "x + 5"))
    assert result_and_hits(package) == (30, 0)

    (package / "constants.py").write_text("TWICE = 3\n")
    assert result_and_hits(package) == (45, 0)


def test_a_kernel_of_one_file_depends_on_no_other() -> None:
    assert not any(".py" in part for part in stamp_of_imports(grey.draw_native.py_func))
