"""A PostgreSQL cluster of its own, from the system's packages, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.live import free_port

VERSIONS = Path("/usr/lib/postgresql")


def programs() -> Path:
    """The folder of the newest version's programs, there or not."""
    found = sorted(VERSIONS.glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else VERSIONS / "15" / "bin"


class PostgreSQL:
    """A context manager; `url` is what DATABASE_URL holds. It refuses to run as root, so root lends it to `postgres`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self.url = f"postgresql://farview@127.0.0.1:{self.port}/farview"
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def __enter__(self) -> PostgreSQL:
        if self._as:
            someone = pwd.getpwnam("postgres")
            os.chown(self.folder, someone.pw_uid, someone.pw_gid)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "farview", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-o", options, "-w", "start")
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "farview", "farview")
        return self

    def __exit__(self, *problem: object) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self._as, str(programs() / program), *map(str, arguments)]
        # To files, not pipes: the server that pg_ctl starts would keep a pipe open.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, cwd="/", check=False, timeout=120)
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read().decode(errors='replace')[-2000:]}"
