"""`manage.py` commands of one server's settings, each in a process of its own that is forked from one which has Django set up.

A fresh interpreter reads two seconds of modules before a command does anything, and a test gives several commands.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]


class Hand:
    """Runs `manage.py ...` with this environment; what it tells is what a process of its own would."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hand"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.close = weakref.finalize(self, _end, self._process)

    def manage(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time, tempfile.TemporaryDirectory(prefix="farview-hand-") as folder:
            stdin, stdout, stderr = (Path(folder) / name for name in ("stdin", "stdout", "stderr"))
            stdin.write_text(given)
            files = list(map(str, (stdin, stdout, stderr)))
            print(json.dumps({"arguments": arguments, "files": files}), file=self._process.stdin, flush=True)
            code = self._process.stdout.readline()
            if not code:
                raise RuntimeError(f"manage.py {arguments}: the process that runs commands is gone")
            return subprocess.CompletedProcess(arguments, int(code), stdout.read_text(), stderr.read_text())


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def serve(asking: TextIO, telling: TextIO) -> list[str] | None:
    """Fork for every line that asks: in the child the command's arguments, in the parent None once nobody asks any more."""
    for line in asking:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            for number, path in enumerate(asked["files"]):
                kind = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                opened = os.open(path, kind, 0o600)
                os.dup2(opened, number)
                os.close(opened)
            arguments: list[str] = asked["arguments"]
            return arguments
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=telling, flush=True)
    return None


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()

    from django.core.checks import run_checks
    from django.urls import get_resolver

    from accounts import guessing  # noqa: F401 - a list of words, read once for all commands

    # What every command reads and checks anew is kept by the children of a process that did it.
    get_resolver().url_patterns  # noqa: B018
    run_checks()
    # Kept away from the commands: they read and write descriptors 0, 1 and 2.
    asking, telling = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    commanded = serve(asking, telling)
    if commanded is not None:
        import manage

        sys.argv = ["manage.py", *commanded]
        manage.main()
