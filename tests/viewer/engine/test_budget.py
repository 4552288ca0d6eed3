"""The budget is what the container allows, not what the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewer.engine.budget import Budget, core_limit, memory_limit

GIB = 1 << 30


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine of 16 GiB."""
    write(tmp_path, "proc/meminfo", "MemFree: 1 kB\nMemTotal:       16777216 kB\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_a_control_group_the_machine_is_the_limit(root: Path) -> None:
    assert memory_limit(root) == 16 * GIB
    assert core_limit(root) >= 1


def test_the_limit_of_a_version_2_group_counts(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/system/farview\n")
    write(root, "sys/fs/cgroup/system/farview/memory.max", f"{4 * GIB}\n")
    write(root, "sys/fs/cgroup/system/farview/cpu.max", "100000 100000\n")
    assert memory_limit(root) == 4 * GIB
    assert core_limit(root) == 1


def test_the_tightest_group_above_counts_too(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/system/farview\n")
    write(root, "sys/fs/cgroup/system/memory.max", f"{2 * GIB}\n")
    write(root, "sys/fs/cgroup/system/farview/memory.max", "max\n")
    assert memory_limit(root) == 2 * GIB


def test_the_limits_of_version_1_groups_count(root: Path) -> None:
    write(root, "proc/self/cgroup", "5:cpu,cpuacct:/box\n4:memory:/box\n")
    write(root, "sys/fs/cgroup/memory/box/memory.limit_in_bytes", f"{3 * GIB}\n")
    write(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "150000\n")
    write(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    assert memory_limit(root) == 3 * GIB
    assert core_limit(root) == 1


def test_a_version_1_group_that_only_the_host_can_see_is_the_mount_itself(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:memory:/docker/0123\n")
    write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{GIB}\n")
    assert memory_limit(root) == GIB


def test_the_no_limit_of_version_1_is_the_machine(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:memory:/\n")
    write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    assert memory_limit(root) == 16 * GIB


def test_shares_follow_the_memory_and_explicit_ones_win(root: Path) -> None:
    measured = Budget.measure(root=root)
    assert measured.frames == int(16 * GIB * 0.05)
    assert measured.volumes == 4 * GIB
    given = Budget.measure(root=root, memory=GIB, cores=3, frames=7, volumes=9)
    assert (given.memory, given.cores, given.frames, given.volumes) == (GIB, 3, 7, 9)
