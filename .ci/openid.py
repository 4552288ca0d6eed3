"""Bring the OpenID provider that the tests talk to from npm's registry to .venv/peers/openid, as its lock file says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "openid"
HOME = Path(__file__).resolve().parents[1] / ".venv" / "peers" / "openid"
LISTS = ("package.json", "package-lock.json")


def main() -> int:
    if (HOME / "node_modules" / "oidc-provider").exists() and all(
        (HOME / name).exists() and (HOME / name).read_bytes() == (HERE / name).read_bytes() for name in LISTS
    ):
        return 0
    print("Fetching an OpenID provider for the tests (once)")
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    try:
        for name in LISTS:
            shutil.copy(HERE / name, HOME / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HOME, check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"npm did not bring it: {problem}", file=sys.stderr)
        shutil.rmtree(HOME, ignore_errors=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
