"""Names of persons in the database, folded for matching with their parts kept apart (PS3.5 6.2.1.2)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import CharField, Func


class FoldedName(Func):  # type: ignore[misc]
    """A name without case and accents; component groups stay parted by "=" and components by "^".

    SQLite is given the function; another database is to have one of this name.
    """

    function = "farview_folded_name"
    arity = 1
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        connection.ensure_connection()
        connection.connection.create_function(self.function, 1, folded_name, deterministic=True)
        return self.as_sql(compiler, connection, **context)


def folded_name(name: str | None) -> str:
    """For "Müller^Hans^^" "muller^hans"."""
    groups = [
        "^".join(folded_literal(part).strip() for part in group.split("^")).rstrip("^")
        for group in (name or "").split("=")
    ]
    return "=".join(groups).rstrip("=")


def folded_literal(text: str) -> str:
    """As `viewer.dicom.text.fold`, but for "^" and "=", which stay, and spaces, which are joined and stay at the ends."""
    spread = unicodedata.normalize("NFKD", text)
    # The voice marks of kana are combining characters too, and make other letters.
    bare = "".join(c for c in spread if unicodedata.category(c) != "Mn" or c in "\u3099\u309a")
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", bare).casefold())
