"""`/api/me/settings/`: what a reader has chosen for themselves, kept with them and not with a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from viewer.api import shapes
from viewer.api.doors import Door, data_of
from viewer.archive import rows
from viewer.archive.query import BadQuery
from viewer.models import ReaderSettings

MOST_CHARACTERS = 65_536
"""Of all settings of a reader as JSON."""
MOST_KEYS = 200
"""Changed keys of one key map."""
KEY_MAPS = ("reader", "bir")
LEVELS = ("full", "minimal", "none")


class Settings(Door):
    """The settings of the person who asks."""

    @extend_schema(
        operation_id="settings",
        summary="What you have chosen for yourself",
        responses={200: OpenApiTypes.OBJECT, 401: shapes.NO_ACCESS},
    )
    def get(self, request: Request) -> Response:
        return Response(settings_of(request.user))

    @extend_schema(
        operation_id="settings_change",
        summary="Choose for yourself",
        description="Only the settings that are named change; null takes one back to what everybody has.",
        request=OpenApiTypes.OBJECT,
        responses={
            200: OpenApiTypes.OBJECT,
            400: OpenApiResponse(shapes.Problem, description="A setting is unknown or not right; `detail` names it."),
            401: shapes.NO_ACCESS,
        },
    )
    def put(self, request: Request) -> Response:
        chosen = checked(data_of(request))
        response = Response(rows.patiently(lambda: _kept(request.user, chosen)))
        if "language" in chosen:
            _remember_language(response, chosen["language"])
        return response


def _kept(user: User, chosen: dict[str, Any]) -> dict[str, Any]:
    """Within a transaction: all settings of a person with those that they have chosen now. Raises BadQuery."""
    kept, _ = ReaderSettings.objects.select_for_update().get_or_create(user=user)
    values = {name: value for name, value in {**kept.values, **chosen}.items() if value is not None}
    if len(json.dumps(values)) > MOST_CHARACTERS:
        raise BadQuery("settings", f"more than {MOST_CHARACTERS:,} characters in all")
    kept.values = values
    kept.save()
    return values


def settings_of(user: User) -> dict[str, Any]:
    """What this person has chosen; empty for whoever has chosen nothing."""
    kept = ReaderSettings.objects.filter(user=user).first()
    return dict(kept.values) if kept is not None else {}


def checked(data: Any) -> dict[str, Any]:
    """The settings of a request. Raises BadQuery."""
    if not isinstance(data, Mapping):
        raise BadQuery("settings", "a JSON object is expected")
    for name, value in data.items():
        if name not in SETTINGS:
            raise BadQuery(str(name)[:40], f"no such setting; there are {', '.join(SETTINGS)}")
        if value is not None and not (_can_be_told(value) and SETTINGS[name](value)):
            raise BadQuery(name, "not a value of this setting")
    return dict(data)


def _is_key_setting(value: Any) -> bool:
    """{"map": name, "changed": {name of a map: {key: [command, argument?] or null}}}"""
    if (
        not isinstance(value, dict)
        or not set(value) <= {"map", "changed"}
        or value.get("map", "reader") not in KEY_MAPS
    ):
        return False
    changed = value.get("changed", {})
    return isinstance(changed, dict) and all(
        name in KEY_MAPS and isinstance(keys, dict) and len(keys) <= MOST_KEYS and all(map(_is_key, keys.items()))
        for name, keys in changed.items()
    )


def _is_key(item: tuple[Any, Any]) -> bool:
    key, meant = item
    if not 0 < len(key) <= 40 or not key.isprintable():
        return False
    if meant is None:
        return True
    if not isinstance(meant, list) or not 1 <= len(meant) <= 2 or not isinstance(meant[0], str):
        return False
    return len(meant[0]) <= 40 and (len(meant) == 1 or isinstance(meant[1], (str, int, float, bool)))


def _can_be_told(value: Any) -> bool:
    """Whether it can be written as JSON: not nested without end, and no halves of characters in it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _remember_language(response: Response, language: str | None) -> None:
    """For the pages, which are written before anyone asks who reads them."""
    if language is None:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    else:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=31_536_000,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )


SETTINGS: dict[str, Callable[[Any], bool]] = {
    "keys": _is_key_setting,
    "language": lambda value: isinstance(value, str) and value in dict(settings.LANGUAGES),
    "hanging": lambda value: isinstance(value, dict),
    "texts": lambda value: value in LEVELS,
}
"""Name of a setting -> whether a value is one of it."""
