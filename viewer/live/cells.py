"""What a live session shares, as cells: small values, each written whole by whoever writes it last.

A cell is named after what holds for the whole desk ("layout"), after a pane ("0"), or after a part of its View ("0.place").
That of a pane says which series stands in it; another series there forgets the parts of the former one's View, and a part says
for which series it was meant, so that what is done to an old picture is not done to a new one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from viewer.rendering.view import BadView, View
from viewer.streaming.protocol import MAX_UID, BadMessage, needed_point, text_of, whole

Cell = Mapping[str, Any] | None
"""None: nothing is there (any more)."""
Cells = Mapping[str, Cell]
Named = tuple[str, str]
"""(Series Instance UID, organization)."""

PANES = 16
LARGEST = 8192
"""Characters of one cell."""
PARTS: dict[str, tuple[str, ...]] = {
    "place": (
        *("stack", "plane", "frame", "sop_instance_uid", "frame_number", "center"),
        *("projection", "slab_thickness", "volume_preset", "clip"),
    ),
    "window": ("window_center", "window_width", "voi_lut_function", "preset"),
    "zoom": ("zoom", "pixel_spacing", "pan"),
    "turn": ("rotation", "flip_horizontal", "flip_vertical"),
    "grey": ("inverted", "color_map"),
    "layers": ("fusion", "mask", "overlays", "presentation_state", "segmentations"),
}
"""Fields of a View that are written together. `series`, `organization` and `size` are in none: the pane says the first two, and
the last is everybody's own."""
HIDDEN: Cell = {"hidden": True}
"""In the place of a pane whose series the person who is told may not see."""


def pane_of(name: str) -> str | None:
    """The pane that a cell belongs to; None for those of the whole desk."""
    pane = name.partition(".")[0]
    return pane if pane.isdigit() else None


def applied(cells: dict[str, Cell], change: Cells) -> set[str]:
    """Write a change into `cells`; the names of those that are others now. What is meant for a series that is not there is
    left out. Series come first: a change may show one and lay a View over it at once."""
    touched = set()
    for name in sorted(change, key=lambda one: "." in one):
        pane = pane_of(name)
        if name == pane:
            touched |= {held for held in cells if held.startswith(f"{pane}.")}
            for held in touched & cells.keys():
                if held.startswith(f"{pane}."):
                    del cells[held]
        elif pane is not None and not _is_meant(cells.get(pane), change[name]):
            continue
        cells[name] = change[name]
        touched.add(name)
    return touched


def _is_meant(shown: Cell, part: Cell) -> bool:
    return shown is not None and part is not None and shown["series"] == part["series"]


def series_named(cells: Cells, change: Cells | None = None) -> Iterator[Named]:
    """Every series that `change` (all of `cells`) names, with its organization: that of a pane where a part is meant for it."""
    for name, cell in (cells if change is None else change).items():
        if cell is None:
            continue
        if "organization" in cell:
            yield cell["series"], cell["organization"]
        elif (pane := pane_of(name)) is not None:
            shown = (change or {}).get(pane) or cells.get(pane)
            if shown is not None and shown["series"] == cell["series"]:
                yield shown["series"], shown["organization"]
        fusion = cell.get("view", {}).get("fusion")
        if fusion and fusion.get("series"):
            yield fusion["series"], fusion.get("organization") or ""


def shown_to(cells: Cells, names: set[str], sees: Callable[[Named], bool]) -> dict[str, Cell]:
    """The cells `names` as somebody may be told who sees what `sees` says. Of a pane that is not for them no part is told.

    With the series of a pane go all its parts: whoever is told of it forgets what they knew of the pane.
    """
    whole_panes = {name for name in names if pane_of(name) == name}
    hidden = {pane for pane in _panes(cells) if not all(map(sees, series_named(cells, _of_pane(cells, pane))))}
    told = {name for name in names | set(cells) if name in names or pane_of(name) in whole_panes}
    # A layer may come to hide a pane, or go and show it again: then all of it is told.
    told |= {held for pane in _panes(cells) if f"{pane}.layers" in names for held in _of_pane(cells, pane)}
    found: dict[str, Cell] = {}
    for name in sorted(told):
        pane, cell = pane_of(name), cells.get(name)
        if pane in hidden:
            found[pane] = HIDDEN
        elif pane is None and cell is not None and not all(map(sees, series_named({}, {name: cell}))):
            found[name] = None
        else:
            found[name] = cell
    return found


def _panes(cells: Cells) -> set[str]:
    return {name for name in cells if pane_of(name) == name}


def _of_pane(cells: Cells, pane: str) -> dict[str, Cell]:
    return {name: cell for name, cell in cells.items() if pane_of(name) == pane}


# --- at the door


def checked(name: str, value: Any) -> Cells:
    """The cells of a message. Raises BadMessage."""
    if not isinstance(value, dict) or len(value) > PANES * (len(PARTS) + 1) + len(_DESK):
        raise BadMessage(f"{name}: an object of cells is needed")
    return {_name(name, key): _cell(f"{name} {key[:20]}", key, cell) for key, cell in value.items()}


def _name(name: str, key: str) -> str:
    pane, _, part = key.partition(".")
    if key in _DESK or (re.fullmatch(r"\d|1[0-5]", pane) and key == pane) or (_is_pane(pane) and part in PARTS):
        return key
    raise BadMessage(f"{name}: {key[:20]!r} is no cell; there are {', '.join(_DESK)}, panes 0 to 15 and their parts")


def _is_pane(pane: str) -> bool:
    return re.fullmatch(r"\d|1[0-5]", pane) is not None


def _cell(name: str, key: str, value: Any) -> Cell:
    if value is None and "." not in key:
        return None
    if not isinstance(value, dict) or len(json.dumps(value)) > LARGEST:
        raise BadMessage(f"{name}: an object of at most {LARGEST} characters is needed")
    if key in _DESK:
        return _exactly(name, value, _DESK[key])
    part = key.partition(".")[2]
    return _part(name, value, PARTS[part]) if part else _exactly(name, value, _SHOWN)


Check = Callable[[str, Any], Any]


def _exactly(name: str, value: dict[str, Any], fields: Mapping[str, Check]) -> Cell:
    if value.keys() != fields.keys():
        raise BadMessage(f"{name}: exactly {', '.join(fields)} are needed")
    return {field: check(f"{name} {field}", value[field]) for field, check in fields.items()}


def _part(name: str, value: dict[str, Any], fields: tuple[str, ...]) -> Cell:
    """A part of a View: what the View itself would refuse is refused here already."""
    if value.keys() - {"series", "view", "series_version"} or not isinstance(value.get("view"), dict):
        raise BadMessage(f"{name}: series, view and perhaps series_version are needed")
    if unknown := value["view"].keys() - set(fields):
        raise BadMessage(f"{name}: {min(unknown)[:40]!r} is none of {', '.join(fields)}")
    try:
        View.from_json(value["view"])
    except BadView as problem:
        raise BadMessage(f"{name}: {problem}") from None
    version = value.get("series_version")
    versions = {} if version is None else {"series_version": _SHORT(f"{name} series_version", version)}
    return {"series": _UID(f"{name} series", value.get("series")), "view": value["view"], **versions}


def _layout(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[1-4]x[1-4]", value):
        raise BadMessage(f"{name}: rows x columns is needed, 1x1 to 4x4")
    return value


def _or_null(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadMessage(f"{name}: true or false is needed")
    return value


def _directions(name: str, value: Any) -> Cell:
    return _exactly(name, value if isinstance(value, dict) else {}, {"row": needed_point(3), "column": needed_point(3)})


def _planes(name: str, value: Any) -> Cell:
    names = ("axial", "coronal", "sagittal")
    return _exactly(name, value if isinstance(value, dict) else {}, dict.fromkeys(names, _directions))


_UID = text_of(MAX_UID)
_SHORT = text_of(200)
_PANE = whole(0, PANES - 1)
_SHOWN: dict[str, Check] = {"series": _UID, "organization": _SHORT, "study": _UID}
_DESK: dict[str, dict[str, Check]] = {
    "layout": {"name": _layout, "maximised": _or_null(_PANE)},
    "stage": {"protocol": _or_null(_SHORT), "index": whole(-1, 1000)},
    "links": dict.fromkeys(("scroll", "look", "window", "turn"), _boolean),
    "crosshair": {
        **{"series": _UID, "organization": _SHORT, "space": _SHORT},
        **{"point": needed_point(3), "planes": _planes, "follows": _boolean},
    },
}
