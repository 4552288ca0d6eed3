"""Words of the pages' scripts in the reader's language, {"English text": "translated"}: `locale/<locale>/page.json` those that
the scripts say themselves, `told.json` those that the server says to them (decision 0043)."""

from __future__ import annotations

import json
from functools import lru_cache

from django.conf import settings
from django.utils.translation import get_language, to_locale

ENGLISH = "en"


def page_catalogue() -> dict[str, str]:
    """For the language of this request; empty for English, whose texts are the keys."""
    return catalogue_of(get_language() or ENGLISH)


@lru_cache
def catalogue_of(language: str) -> dict[str, str]:
    """One language's catalogue; that of the language without its region where it has none of its own."""
    for name in (language, language.partition("-")[0]):
        if name != ENGLISH and (settings.LOCALE_PATHS[0] / to_locale(name)).exists():
            return {**words_in(name, "told"), **words_in(name, "page")}
    return {}


def words_in(language: str, name: str) -> dict[str, str]:
    """One file of a language's catalogue."""
    path = settings.LOCALE_PATHS[0] / to_locale(language) / f"{name}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found
