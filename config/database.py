"""Where rows are kept: a file of SQLite's in the data folder, or PostgreSQL as `DATABASE_URL` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

CONNECTIONS = 20
"""Of one process at most; PostgreSQL allows a hundred unless it is told otherwise."""
EXPECTED = "postgresql://USER:PASSWORD@HOST:PORT/NAME is expected (sqlite, the default, needs no DATABASE_URL)"


def database_of(url: str, data: Path) -> dict[str, Any]:
    """Django's settings of the database. Raises ImproperlyConfigured, never naming the password."""
    return _postgresql(url) if url else _sqlite(data)


def _sqlite(data: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "farview.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
        # A file, so that tests meet the locks of several connections and processes as the server does.
        "TEST": {"NAME": data / "test.sqlite3"},
    }


def _postgresql(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"DATABASE_URL: {EXPECTED}") from None
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgresql", "postgres") or not name or "/" in name:
        raise ImproperlyConfigured(f"DATABASE_URL: {EXPECTED}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        # Whoever waits for a row waits as long as with SQLite; what libpq knows may be said behind a question mark.
        "OPTIONS": {
            "connect_timeout": 10,
            "options": "-c lock_timeout=20s -c synchronous_commit=on",
            **dict(parse_qsl(parts.query)),
            "pool": {"min_size": 1, "max_size": CONNECTIONS, "timeout": 20},
        },
    }
