"""How much memory and how many cores the engine may use, read from where the process runs.

A container says it in its control group, of which there are two kinds in use; outside of one the machine itself is the
limit. Every share can be given explicitly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

GIB = 1 << 30

FRAMES_SHARE = 0.05
VOLUMES_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes and cores. `measure` fills it; tests and settings may make one directly."""

    memory: int
    """All the memory this process tree may use."""
    cores: int
    frames: int
    """Decoded frames kept."""
    volumes: int
    """Volumes kept."""
    decode_child: int = 2 * GIB
    """What one decode child may take beyond its own code."""
    decode_seconds: float = 20.0
    """Wall clock for one frame in a decode child."""

    @classmethod
    def measure(
        cls,
        *,
        memory: int | None = None,
        cores: int | None = None,
        frames: int | None = None,
        volumes: int | None = None,
        decode_child: int = 2 * GIB,
        decode_seconds: float = 20.0,
        root: Path = Path("/"),
    ) -> Budget:
        """The budget of this process; what is given explicitly wins over what is measured below `root`."""
        memory = memory or memory_limit(root)
        return cls(
            memory=memory,
            cores=cores or core_limit(root),
            frames=frames or int(memory * FRAMES_SHARE),
            volumes=volumes or int(memory * VOLUMES_SHARE),
            decode_child=decode_child,
            decode_seconds=decode_seconds,
        )


def memory_limit(root: Path = Path("/")) -> int:
    """Bytes this process may use: the tightest control group above it, never more than the machine has."""
    limits = [_machine_memory(root)]
    for folder in _groups(root, "memory"):
        limits += [n for name in ("memory.max", "memory.limit_in_bytes") if (n := _number(folder / name)) is not None]
    return min(limits)


def core_limit(root: Path = Path("/")) -> int:
    """Whole cores this process may keep busy, at least one."""
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _groups(root, "cpu"):
        quota, period = _cpu_quota(folder)
        if quota > 0 and period > 0:
            cores = min(cores, quota / period)
    return max(1, int(cores))


def _machine_memory(root: Path) -> int:
    """MemTotal of /proc/meminfo, in bytes."""
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control group and of all groups above it, for one controller, of both kinds.

    Inside a container the path in /proc/self/cgroup may be one that only the host can see; then the mount's own top
    folder is this group, and it is always among those tried.
    """
    mount = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            top = mount
        elif controller in controllers.split(","):
            top = mount / controller if (mount / controller).exists() else mount / controllers
        else:
            continue
        group = PurePosixPath(path)
        for step in (group, *group.parents):
            yield top / str(step).lstrip("/")


def _cpu_quota(folder: Path) -> tuple[float, float]:
    """(quota, period) in microseconds; (0, 0) where none is set."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return (0.0, 0.0) if quota == "max" else (float(quota), float(period))
    except (OSError, ValueError):
        return float(_number(folder / "cpu.cfs_quota_us") or 0), float(_number(folder / "cpu.cfs_period_us") or 0)


def _number(path: Path) -> int | None:
    """The number in a control file; None for "max", for -1 ("no limit") and for a file that is not there."""
    try:
        value = int(path.read_text().strip())
    except (OSError, ValueError):
        return None
    return value if value > 0 else None
