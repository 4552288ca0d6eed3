"""Names of persons in the database, folded for matching with their parts kept apart (PS3.5 6.2.1.2)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import CharField, Func


class FoldedName(Func):  # type: ignore[misc]
    """A name without case and accents; component groups stay parted by "=" and components by "^"."""

    function = "farview_folded_name"
    arity = 1
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        connection.ensure_connection()
        connection.connection.create_function(self.function, 1, folded_name, deterministic=True)
        return self.as_sql(compiler, connection, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same by PostgreSQL's own functions; they know no full case folding, so its commonest letters are named."""
        return self.as_sql(compiler, connection, template=POSTGRESQL, **context)


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


MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
"""Combining characters of the scripts of DICOM's character sets (PS3.3 C.12.1.1.2)."""
_BARE = f"normalize(regexp_replace(normalize(%(expressions)s, NFKD), '[{MARKS}]', '', 'g'), NFC)"
_LOW = f"""replace(replace(lower({_BARE} COLLATE "und-x-icu"), 'ß', 'ss'), 'ς', 'σ')"""
_TIDY = rf"regexp_replace(regexp_replace({_LOW}, '\s+', ' ', 'g'), ' ?([=^]) ?', '\1', 'g')"
POSTGRESQL = rf"rtrim(btrim(regexp_replace({_TIDY}, '[\^ ]+(=|$)', '\1', 'g')), '=')"
