"""The protocols that come with Farview: sensible ones, to begin with and to copy.

`SEEDS` holds the present ones by slug. `FORMER` holds digests of what earlier versions of them held: a row that still holds
one of these was never touched by an administrator, and follows along.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = dict[str, Any]


def digest(matches: Any, stages: Any) -> str:
    """Names the contents of a protocol."""
    said = json.dumps([matches, stages], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _window(center: float, width: float) -> Json:
    return {"window_center": center, "window_width": width}


def _slot(series: Json | list[Json] | None = None, **more: Any) -> Json:
    return {**({} if series is None else {"series": series}), **more}


def _again(number: int, **view: Any) -> Json:
    return {"same_as": number, "view": view}


def _stage(name: str, layout: str, *viewports: Json | None, **more: Any) -> Json:
    return {"name": name, "layout": layout, "viewports": list(viewports), **more}


def _each(series: Json | None = None, most: int = 16, name: str = "All images", **more: Any) -> Json:
    return _stage(name, "grid", _slot(series or {}, each=True, **more), most=most)


SOFT, LUNG, BONE = _window(40, 400), _window(-600, 1500), _window(480, 2500)
BRAIN, SUBDURAL, STROKE, LIVER = _window(40, 80), _window(75, 215), _window(40, 40), _window(90, 150)

_STACK: Json = {"modality": ["CT"], "kind": ["spatial"]}
_AXIAL: Json = {"modality": ["CT"], "plane": ["axial"], "kind": ["spatial"], "sort": ["volume"]}
_ANY_CT: list[Json] = [_AXIAL, _STACK, {"modality": ["CT"]}]
_LUNG_KERNEL = ["lung*", "pulm*", "hrct", "lunge*", "b70*", "b60*", "bl57*", "bl64*"]


def _ct_with_prior(view: Json | None = None) -> Json:
    """The current study beside the newest that compares, at the same window."""
    shown = {"view": view} if view else {}
    return _stage(
        "With prior", "1x2",
        _slot(_ANY_CT, needed=True, link="with prior", **shown),
        _slot(_ANY_CT, study="prior 1", like=1, needed=True, link="with prior", **shown),
    )  # fmt: skip


def _planes(view: Json | None = None) -> Json:
    """Acquired beside the two other planes of the same volume."""
    shown = view or {}
    return _stage(
        "Three planes", "1x3",
        _slot({**_AXIAL, "volume": True}, needed=True, view=shown),
        _again(1, plane="coronal", **shown),
        _again(1, plane="sagittal", **shown),
    )  # fmt: skip


def _windows(name: str, layout: str, *windows: Json) -> Json:
    """One series at several windows."""
    first, *others = windows
    return _stage(name, layout, _slot(_ANY_CT, needed=True, view=first), *(_again(1, **one) for one in others))


def _mr(*wants: Json, name: str = "Overview") -> Json:
    return _stage(name, "grid", *(_slot(one) for one in wants), most=4)


def _weighted(words: list[str], plane: str = "", **more: Any) -> Json:
    return {"modality": ["MR"], "description": words, **({"plane": [plane]} if plane else {}), **more}


_ANY_MR: Json = {"modality": ["MR"]}
_T1, _T2, _FLAIR = ["t1*", "mprage", "spgr", "bravo", "*fspgr*"], ["t2*"], ["*flair*", "*dark fluid*", "tirm*"]
_DWI, _PD, _STIR = ["dwi*", "*diff*", "ep2d*", "*trace*", "b1000*"], ["pd*", "proton*", "dens*"], ["*stir*", "*tirm*"]


def _mr_with_prior(first: list[Json], second: list[Json]) -> Json:
    """Two series above, the same of the prior below."""
    return _stage(
        "With prior", "2x2",
        _slot(first, needed=True, link="first"),
        _slot(second, link="second"),
        _slot(_ANY_MR, study="prior 1", like=1, needed=True, link="first"),
        _slot(_ANY_MR, study="prior 1", like=2, link="second"),
    )  # fmt: skip


_PROJECTION = ["CR", "DX", "RG"]
_FRONTAL: Json = {"modality": _PROJECTION, "view_position": ["PA", "AP"]}
_FRONTAL_BY_WORDS: Json = {"modality": _PROJECTION, "description": ["pa", "ap", "front*", "*p.a.*"]}
_LATERAL: Json = {"modality": _PROJECTION, "view_position": ["LL", "RL", "LAT", "LATERAL"]}
_LATERAL_BY_WORDS: Json = {"modality": _PROJECTION, "description": ["lat*", "ll", "rl", "profil*", "seit*"]}
_NOT_LATERAL: Json = {"modality": _PROJECTION, "not_description": ["lat*", "ll", "rl", "profil*", "seit*"]}
_PA, _LAT = [_FRONTAL, _FRONTAL_BY_WORDS, _NOT_LATERAL], [_LATERAL, _LATERAL_BY_WORDS]
_FRONT_TO_COMPARE = [_FRONTAL, _FRONTAL_BY_WORDS, {"modality": _PROJECTION}]


def _breast(side: str, view: str, study: str = "current", **more: Any) -> Json:
    """One mammogram, its chest wall towards the middle of the screen: right breasts hang on the left."""
    wanted = {"modality": ["MG"], "laterality": [side], "view_position": [view]}
    return _slot(wanted, study=study, chest_wall="right" if side == "R" else "left", **more)


def _both(view: str, study: str = "current") -> tuple[Json, Json]:
    return _breast("R", view, study), _breast("L", view, study)


def _breasts_with_prior(view: str) -> Json:
    above, below = _both(view), _both(view, "prior 1")
    return _stage(f"{view} with prior", "2x2", *above, *below, least=3)


_PET: Json = {"modality": ["PT"], "kind": ["spatial"], "sort": ["-frames"]}
_PET_FIRST: list[Json] = [
    {**_PET, "not_description": ["*nac*", "uncorrected*", "*no ac*", "*non ac*"]},
    _PET,
]
_OVER: Json = {
    "series": {**_PET, "not_description": ["*nac*", "uncorrected*"]},
    "color_map": "hot_iron",
    "opacity": 0.5,
    "suv": [0, 7],
}
_UPTAKE: Json = {"inverted": True, "suv": [0, 7]}
"""Black where much is taken up. A PET that gives no SUV keeps a window of its own, and the reason is told."""

SEEDS: dict[str, tuple[str, Json, list[Json]]] = {
    "ct-head": ("CT head", {"modality": ["CT"], "body_part": ["head"]}, [
        _ct_with_prior(BRAIN),
        _windows("Brain", "1x1", BRAIN),
        _windows("Brain, subdural, stroke, bone", "2x2", BRAIN, SUBDURAL, STROKE, BONE),
        _planes(BRAIN),
    ]),
    "ct-chest": ("CT chest", {"modality": ["CT"], "body_part": ["chest"]}, [
        _ct_with_prior(),
        _stage("Soft tissue and lung series", "1x2",
               _slot({**_AXIAL, "not_description": _LUNG_KERNEL}, needed=True),
               _slot({**_AXIAL, "description": _LUNG_KERNEL}, needed=True, view=LUNG)),
        _stage("Current", "1x1", _slot(_ANY_CT)),
        _windows("Soft tissue and lung", "1x2", SOFT, LUNG),
        _planes(),
        _stage("Lung, 8 mm MIP", "1x1", _slot({**_AXIAL, "volume": True}, needed=True,
                                              view={**LUNG, "projection": "mip", "slab_thickness": 8})),
    ]),
    "ct-abdomen": ("CT abdomen", {"modality": ["CT"], "body_part": ["abdomen", "pelvis"]}, [
        _ct_with_prior(),
        _stage("Phases", "grid",
               _slot({**_AXIAL, "description": ["nativ*", "native*", "without*", "plain", "unenhanced", "non con*", "ohne*"]}),
               _slot({**_AXIAL, "description": ["arter*", "late arter*"]}),
               _slot({**_AXIAL, "description": ["portal*", "venous*", "venos*", "pv"]}),
               _slot({**_AXIAL, "description": ["delay*", "late*", "spat*", "excret*", "urog*"]}), least=2, most=4),
        _stage("Current", "1x1", _slot(_ANY_CT)),
        _windows("Soft tissue and liver", "1x2", SOFT, LIVER),
        _planes(),
    ]),
    "ct": ("CT", {"modality": ["CT"]}, [
        _ct_with_prior(),
        _each({"modality": ["CT"]}, most=2, name="Series side by side"),
        _stage("Current", "1x1", _slot(_ANY_CT)),
        _planes(),
        _each(name="All series"),
    ]),
    "mr-brain": ("MR brain", {"modality": ["MR"], "body_part": ["head"]}, [
        _mr(_weighted(_T2, "axial", not_description=_FLAIR), _weighted(_FLAIR), _weighted(_DWI),
            _weighted(_T1, "axial", not_description=_FLAIR), _ANY_MR, _ANY_MR, _ANY_MR),
        _mr_with_prior([_weighted(_FLAIR), _weighted(_T2), _ANY_MR], [_weighted(_T1, contrast=True), _weighted(_T1), _ANY_MR]),
        _each({"modality": ["MR"]}, name="All series"),
    ]),
    "mr-spine": ("MR spine", {"modality": ["MR"], "body_part": ["spine"]}, [
        _mr(_weighted(_T2, "sagittal"), _weighted(_T1, "sagittal"), _weighted(_STIR, "sagittal"), _weighted(_T2, "axial"),
            _ANY_MR, _ANY_MR, _ANY_MR),
        _mr_with_prior([_weighted(_T2, "sagittal"), _ANY_MR], [_weighted(_T1, "sagittal"), _ANY_MR]),
        _each({"modality": ["MR"]}, name="All series"),
    ]),
    "mr-knee": ("MR knee", {"modality": ["MR"], "body_part": ["knee"]}, [
        _mr(_weighted([*_PD, *_T2], "sagittal"), _weighted([*_PD, *_T2], "coronal"), _weighted([*_PD, *_T2], "axial"),
            _weighted(_T1), _ANY_MR, _ANY_MR, _ANY_MR),
        _mr_with_prior([_weighted(_PD, "sagittal"), _ANY_MR], [_weighted(_PD, "coronal"), _ANY_MR]),
        _each({"modality": ["MR"]}, name="All series"),
    ]),
    "mr": ("MR", {"modality": ["MR"]}, [
        _each({"modality": ["MR"]}, most=4, name="Overview"),
        _mr_with_prior([_ANY_MR], [_ANY_MR]),
        _each({"modality": ["MR"]}, name="All series"),
    ]),
    "radiograph-chest": ("Chest radiograph", {"modality": _PROJECTION, "body_part": ["chest"]}, [
        _stage("Two views with prior", "1x3",
               _slot(_PA, needed=True), _slot(_LAT, needed=True),
               _slot(_FRONT_TO_COMPARE, study="prior 1", like=1, needed=True)),
        _stage("With prior", "1x2",
               _slot(_PA, needed=True), _slot(_FRONT_TO_COMPARE, study="prior 1", like=1, needed=True)),
        _stage("Two views", "1x2", _slot(_PA, needed=True), _slot(_LAT, needed=True)),
        _stage("Lateral with prior", "1x2", _slot(_LAT, needed=True), _slot(_LAT, study="prior 1", needed=True)),
        _each({"modality": _PROJECTION}),
    ]),
    "radiograph": ("Radiograph", {"modality": [*_PROJECTION, "PX", "IO"]}, [
        _each({"modality": [*_PROJECTION, "PX", "IO"]}, most=4, name="Views"),
        _stage("With prior", "1x2",
               _slot({"modality": _PROJECTION}, needed=True),
               _slot({"modality": _PROJECTION}, study="prior 1", like=1, needed=True)),
        _each(),
    ]),
    "mammography": ("Mammography", {"modality": ["MG"]}, [
        _stage("Four views", "2x2", *_both("CC"), *_both("MLO"), least=2),
        _breasts_with_prior("CC"),
        _breasts_with_prior("MLO"),
        _stage("CC", "1x2", *_both("CC"), least=2),
        _stage("MLO", "1x2", *_both("MLO"), least=2),
        _each({"modality": ["MG"]}),
    ]),
    "ultrasound": ("Ultrasound", {"modality": ["US"]}, [
        _each({"modality": ["US"]}, most=9, name="First images"),
        _each({"modality": ["US"]}),
        _stage("One image", "1x1", _slot({"modality": ["US"]})),
    ]),
    "pet-ct": ("PET/CT", {"modality": ["PT"], "series": [{"modality": ["PT"]}, {"modality": ["CT"]}]}, [
        _stage("Fusion", "2x2",
               _slot({**_AXIAL, "volume": True}, needed=True, view=SOFT, link="axial"),
               _slot(_PET_FIRST, needed=True, view=_UPTAKE, link="axial"),
               {"same_as": 1, "view": SOFT, "fusion": _OVER, "needed": True, "link": "axial"},
               _again(2, plane="coronal", projection="mip", slab_thickness="all", **_UPTAKE)),
        _stage("CT and PET", "1x2", _slot(_ANY_CT, needed=True, link="axial"),
               _slot(_PET_FIRST, needed=True, view=_UPTAKE, link="axial")),
        _stage("With prior", "2x2",
               _slot({**_AXIAL, "volume": True}, needed=True, view=SOFT, fusion=_OVER, link="axial"),
               _slot(_PET_FIRST, view=_UPTAKE, link="axial"),
               _slot({**_AXIAL, "volume": True}, study="prior 1", like=1, needed=True, view=SOFT, fusion=_OVER, link="axial"),
               _slot(_PET_FIRST, study="prior 1", view=_UPTAKE, link="axial")),
        _each(name="All series"),
    ]),
    "pet": ("PET", {"modality": ["PT"]}, [
        _each({"modality": ["PT"]}, most=2, name="Series side by side", view=_UPTAKE),
        _stage("Coronal MIP", "1x1", _slot({**_PET, "volume": True}, needed=True,
               view={"plane": "coronal", "projection": "mip", "slab_thickness": "all", **_UPTAKE})),
        _each(name="All series"),
    ]),
    "angiography": ("Angiography and fluoroscopy", {"modality": ["XA", "RF"]}, [
        _stage("First run", "1x1", _slot({"modality": ["XA", "RF"]}, needed=True)),
        _each({"modality": ["XA", "RF"]}, most=4, name="Runs"),
        _each(name="All runs"),
    ]),
    "default": ("Default", {}, [
        _each(most=4, name="Overview"),
        _stage("With prior", "1x2", _slot(needed=True), _slot(study="prior 1", like=1, needed=True)),
        _each(name="All series"),
    ]),
}  # fmt: skip
"""Slug -> name, matches, stages. A study that no other one is for hangs by the last."""

FORMER: dict[str, frozenset[str]] = {"pet-ct": frozenset({"2f43654ae1d12dd3"}), "pet": frozenset({"84242ad589b1dbf8"})}
"""Slug -> digests of what was shipped before."""
