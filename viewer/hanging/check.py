"""What is wrong with a protocol's JSON, in words that tell an administrator where and how to mend it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from . import words
from .selectors import SORTS

LONGEST_NAME = 200
MOST_STAGES, MOST_SLOTS, MOST_WORDS = 20, 16, 50

Problems = Iterable[str]
Check = Callable[[str, Any], Problems]


def problems(matches: Any, stages: Any) -> list[str]:
    """Sentences, each beginning with the place; none where the protocol can be used."""
    return [*check_matches(matches), *check_stages(stages)][:50]


def check_matches(matches: Any) -> list[str]:
    return list(_object(_MATCHES)("matches", matches))


def check_stages(stages: Any) -> list[str]:
    if not isinstance(stages, list) or not stages:
        return ["stages: a list with at least one stage is needed"]
    if len(stages) > MOST_STAGES:
        return [f"stages: {MOST_STAGES} at most"]
    return [said for number, one in enumerate(stages, 1) for said in _stage(f"stage {number}", one)]


def _stage(where: str, stage: Any) -> Problems:
    wrong = list(_object(_STAGE, needed=("name", "layout", "viewports"))(where, stage))
    if wrong:
        return wrong
    slots, layout = stage["viewports"], stage["layout"]
    if layout != "grid":
        rows, _, columns = layout.partition("x")
        if len(slots) != int(rows) * int(columns):
            wrong.append(
                f"{where}: layout {layout} has {int(rows) * int(columns)} viewports, {len(slots)} are described"
            )
    for number, slot in enumerate(slots, 1):
        wrong += _slot_in_stage(f"{where}, viewport {number}", slot, number, layout)
    return wrong


def _slot_in_stage(where: str, slot: Any, number: int, layout: str) -> Problems:
    """What can only be told beside the other viewports."""
    if slot is None:
        return
    for name in ("same_as", "like"):
        other = slot.get(name)
        if other is not None and not 1 <= other < number:
            yield f"{where}, {name}: the number of a viewport before this one is needed"
    if slot.get("each") and layout != "grid":
        yield f'{where}, each: only where the layout is "grid"'
    if "same_as" in slot and ("series" in slot or "study" in slot):
        yield f"{where}: same_as already says what is shown; leave series and study out"
    for name in ("view", "fusion"):
        part = slot.get(name) or {}
        if "suv" in part and any(field in part for field in _WINDOW):
            yield f"{where}, {name}: suv already says the window; leave {', '.join(_WINDOW)} out"


# --- checks of single values


def _object(fields: dict[str, Check], needed: Iterable[str] = ()) -> Check:
    def check(where: str, value: Any) -> Problems:
        if not isinstance(value, dict):
            yield f"{where}: an object {{...}} is needed"
            return
        for name in needed:
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, inner in value.items():
            if name not in fields:
                near = difflib.get_close_matches(str(name), fields, 1)
                meant = f"; is {near[0]} meant?" if near else f"; there are {', '.join(fields)}"
                yield f'{where}: "{str(name)[:40]}" means nothing here{meant}'
            else:
                yield from fields[name](f"{where}, {name}", inner)

    return check


def _text(where: str, value: Any) -> Problems:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        yield f"{where}: a text of at most {LONGEST_NAME} characters is needed"


def _yes(where: str, value: Any) -> Problems:
    if not isinstance(value, bool):
        yield f"{where}: true or false is needed"


def _whole(least: int, most: int) -> Check:
    def check(where: str, value: Any) -> Problems:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield f"{where}: a whole number from {least} to {most} is needed"

    return check


def _one_of(*allowed: str) -> Check:
    def check(where: str, value: Any) -> Problems:
        if value not in allowed:
            yield f"{where}: one of {', '.join(allowed)} is needed"

    return check


def _list(inner: Check) -> Check:
    def check(where: str, value: Any) -> Problems:
        if not isinstance(value, list) or len(value) > MOST_WORDS:
            yield f"{where}: a list of at most {MOST_WORDS} is needed"
            return
        for one in value:
            yield from inner(where, one)

    return check


def _layout(where: str, value: Any) -> Problems:
    if value != "grid" and not (isinstance(value, str) and re.fullmatch(r"[1-4]x[1-4]", value)):
        yield f'{where}: rows x columns up to 4x4, as "2x2", or "grid" is needed'


def _study(where: str, value: Any) -> Problems:
    if not (isinstance(value, str) and re.fullmatch(r"current|oldest prior|prior [1-9]", value)):
        yield f'{where}: "current", "prior 1" to "prior 9" or "oldest prior" is needed'


def _code(where: str, value: Any) -> Problems:
    if not (isinstance(value, str) and re.fullmatch(r"[A-Z0-9_ ]{1,16}", value)):
        yield f"{where}: a code in capital letters, as CT, is needed"


def _pattern(where: str, value: Any) -> Problems:
    if not (isinstance(value, str) and words.folded(value)) or len(value) > LONGEST_NAME:
        yield f'{where}: words to look for are needed, as "t2*"; * stands for any letters'


def _region(where: str, value: Any) -> Problems:
    if not isinstance(value, str) or words.region_named(value) is None:
        yield f"{where}: {str(value)[:40]!r} is no part of the body known here; there are {', '.join(words.REGIONS)}"


def _sort(where: str, value: Any) -> Problems:
    if not isinstance(value, str) or value.removeprefix("-") not in SORTS:
        yield f"{where}: one of {', '.join(SORTS)}, with - before it for the other direction, is needed"


def _selectors(where: str, value: Any) -> Problems:
    for one in value if isinstance(value, list) else [value]:
        yield from _object(_SELECTOR)(where, one)


def _fusion(where: str, value: Any) -> Problems:
    wrong = list(_object(_FUSION, needed=("series",))(where, value))
    return wrong


def _slots(where: str, value: Any) -> Problems:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_SLOTS:
        yield f"{where}: a list of 1 to {MOST_SLOTS} is needed"
        return
    for number, one in enumerate(value, 1):
        if one is not None:
            yield from _object(_SLOT)(f"{where} {number}", one)


def _limits(where: str, value: Any) -> Problems:
    numbers = isinstance(value, list) and len(value) == 2
    if not numbers or any(isinstance(one, bool) or not isinstance(one, int | float) for one in value):
        yield f"{where}: a lower and an upper SUV, as [0, 7], are needed"
    elif not 0 <= value[0] < value[1] <= _HIGHEST_SUV:
        yield f"{where}: from 0 on, the lower before the upper, {_HIGHEST_SUV} at most"


_WINDOW = ("window_center", "window_width", "preset")
_HIGHEST_SUV = 1000


def _anything(where: str, value: Any) -> Problems:
    """Checked by whoever draws it."""
    return ()


_SIDES = _list(_one_of("L", "R", "B", "U"))
_SELECTOR: dict[str, Check] = {
    "modality": _list(_code),
    "description": _list(_pattern),
    "not_description": _list(_pattern),
    "body_part": _list(_region),
    "plane": _list(_one_of("axial", "coronal", "sagittal")),
    "view_position": _list(_code),
    "laterality": _SIDES,
    "kind": _list(_one_of("spatial", "cine", "other")),
    "contrast": _yes,
    "volume": _yes,
    "sort": _list(_sort),
}
_FUSION: dict[str, Check] = {
    "series": _object(_SELECTOR),
    **dict.fromkeys(("color_map", "opacity", "window_center", "window_width", "voi_lut_function"), _anything),
    "suv": _limits,
}
VIEW_FIELDS = (
    "plane", "projection", "slab_thickness", "window_center", "window_width", "voi_lut_function", "preset", "volume_preset",
    "inverted", "color_map", "rotation", "flip_horizontal", "flip_vertical", "zoom", "pan",
)  # fmt: skip
"""Fields of a View that a protocol may set."""
_SLOT: dict[str, Check] = {
    "series": _selectors,
    "study": _study,
    "same_as": _whole(1, MOST_SLOTS),
    "like": _whole(1, MOST_SLOTS),
    "needed": _yes,
    "each": _yes,
    "chest_wall": _one_of("left", "right"),
    "fusion": _fusion,
    "link": _text,
    "view": _object({**dict.fromkeys(VIEW_FIELDS, _anything), "suv": _limits}),
}
_STAGE: dict[str, Check] = {
    "name": _text,
    "layout": _layout,
    "viewports": _slots,
    "least": _whole(1, MOST_SLOTS),
    "most": _whole(1, MOST_SLOTS),
    "when": _selectors,
}
_PRIORS: dict[str, Check] = {"least": _whole(0, 99), "most": _whole(0, 99)}
_MATCHES: dict[str, Check] = {
    "modality": _list(_code),
    "body_part": _list(_region),
    "description": _list(_pattern),
    "laterality": _SIDES,
    "view_position": _list(_code),
    "priors": _object(_PRIORS),
    "series": _list(_object(_SELECTOR)),
}
