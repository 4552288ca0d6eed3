"""Bring OHIF's built pages from npm's registry to .venv/peers/ohif, once, checked against the digest that is pinned here."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

VERSION = "3.12.10"
SHA256 = "fbabd410be33e5b9898931b725229b9da9553aac339914b5c29796d3aa5d4b2d"
HOME = Path(__file__).resolve().parents[1] / ".venv" / "peers" / "ohif"


def fetched() -> bytes:
    registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org").rstrip("/")  # noqa: SIM112 - npm spells it so
    address = f"{registry}/@ohif/app/-/app-{VERSION}.tgz"
    with urllib.request.urlopen(address, timeout=120) as answer:  # noqa: S310 - https, and the digest is pinned
        return bytes(answer.read())


def packed() -> bytes:
    """By npm itself, which knows this machine's registry and its proxy."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", f"@ohif/app@{VERSION}"], cwd=folder, check=True, capture_output=True)
        return next(Path(folder).glob("*.tgz")).read_bytes()


def main() -> int:
    if (HOME / "dist" / "index.html").exists() and (HOME / "version").read_text() == VERSION:
        return 0
    print(f"Fetching OHIF {VERSION} for the tests (46 MB, once)")
    try:
        data = fetched()
    except OSError as problem:
        print(f"The registry does not answer by itself ({problem}); asking npm", file=sys.stderr)
        data = packed()
    if hashlib.sha256(data).hexdigest() != SHA256:
        print(f"OHIF is not what is expected: sha256 {hashlib.sha256(data).hexdigest()}", file=sys.stderr)
        return 1
    making = HOME.with_name("ohif.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        pages = [one for one in archive.getmembers() if one.name.startswith("package/dist/")]
        archive.extractall(making, members=pages, filter="data")
    (making / "package" / "dist").rename(making / "dist")
    (making / "version").write_text(VERSION)
    shutil.rmtree(HOME, ignore_errors=True)
    making.rename(HOME)
    return 0


if __name__ == "__main__":
    sys.exit(main())
