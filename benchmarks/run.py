"""Which benchmarks there are, and on what they run."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import audit, browser, crowd, decoders, device, ingest, links, loading, reformats, slices, soak, sockets
from benchmarks.timing import printed

PACKAGES = (
    "numpy",
    "numba",
    "imagecodecs",
    "pydicom",
    "pynetdicom",
    "pillow",
    "pylibjpeg",
    "pylibjpeg-libjpeg",
    "pyjpegls",
    "python-gdcm",
    "daphne",
    "websockets",
    "playwright",
    "vtk",
    "SimpleITK",
    "scipy",
)


def main(wanted: list[str]) -> int:
    """Run those named, or all; 2 when a name is unknown. `--write FILE` also writes the tables there as Markdown."""
    target = Path(wanted[wanted.index("--write") + 1]) if "--write" in wanted else None
    wanted = [name for name in wanted if name != "--write" and (target is None or name != str(target))]
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}: {', '.join(BENCHMARKS)}")
        return 2
    print(_machine())
    print("Ratios under 1.7 are ties on a busy machine.")
    for name in wanted or list(BENCHMARKS):
        BENCHMARKS[name]()
    if target is not None:
        target.write_text("\n\n".join([HEAD, _machine().replace("\n", "  \n"), *printed]) + "\n")
    return 0


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    models = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES if _installed(name))
    return f"{models[0] if models else platform.machine()}, {cores} cores{load}; Python {platform.python_version()}\n{packages}"


def _installed(name: str) -> bool:
    try:
        version(name)
    except ImportError:
        return False
    return True


HEAD = """# Benchmarks

Written by `make bench`. Every peer that is installed is measured in the same run, turn about, medians after warm-up. Compare
the ratios, not the figures: a busy machine slows all of them alike, and ratios under 1.7 are ties.
[Goals and what limits them](performance.md)."""

BENCHMARKS = {
    "slices": slices.run,
    "decoders": decoders.run,
    "loading": loading.run,
    "reformats": reformats.run,
    "device": device.run,
    "sockets": sockets.run,
    "soak": soak.run,
    "crowd": crowd.run,
    "links": links.run,
    "browser": browser.run,
    "ingest": ingest.run,
    "audit": audit.run,
}
