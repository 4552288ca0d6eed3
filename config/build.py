"""The name of this build: a hash of everything a page consists of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def build_of(folders: Iterable[Path]) -> str:
    """Twelve hexadecimal digits over the names and contents of all files below `folders` (or of the files named)."""
    digest = hashlib.sha256()
    for folder in folders:
        files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder.parent).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]
