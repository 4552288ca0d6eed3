"""A protocol as text: what an administrator reads instead of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .protocol import CURRENT, Slot, Stage, protocol_of
from .selectors import quoted


def in_words(matches: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> str:
    """Several lines: for which studies, then each stage with its viewports. The JSON must be without problems."""
    protocol = protocol_of(0, "", matches, stages)
    lines = ["For " + (_studies(matches) or "every study")]
    for number, stage in enumerate(protocol.stages, 1):
        lines += ["", f"{number}. {stage.name}: {_layout(stage)}{_conditions(stage)}"]
        lines += [f"   {place}. {_slot(slot)}" for place, slot in enumerate(stage.slots, 1)]
    return "\n".join(lines)


def _studies(matches: Mapping[str, Any]) -> str:
    parts = ["/".join(matches.get("modality", [])), "/".join(matches.get("body_part", []))]
    if matches.get("description"):
        parts.append(f"described as {quoted(matches['description'])}")
    if matches.get("laterality"):
        parts.append("laterality " + "/".join(matches["laterality"]))
    if matches.get("view_position"):
        parts.append("view position " + "/".join(matches["view_position"]))
    priors = matches.get("priors", {})
    if priors.get("least"):
        parts.append(f"at least {priors['least']} prior(s)")
    if "most" in priors:
        parts.append(f"at most {priors['most']} prior(s)")
    parts += [f"with {one.in_words()}" for one in protocol_of(0, "", matches, []).matches.series]
    return ", ".join(filter(None, parts))


def _layout(stage: Stage) -> str:
    if stage.layout == "grid":
        return f"a grid of up to {stage.most}"
    rows, columns = stage.size
    return "one viewport" if rows * columns == 1 else f"{rows} x {columns}"


def _conditions(stage: Stage) -> str:
    parts = []
    if stage.least > 1:
        parts.append(f"needs {stage.least} filled")
    parts += [f"needs {one.in_words()}" for one in stage.when]
    return f" ({'; '.join(parts)})" if parts else ""


def _slot(slot: Slot | None) -> str:
    if slot is None:
        return "stays empty"
    if slot.same_as is not None:
        said = f"the same as viewport {slot.same_as + 1}"
    else:
        said = " else ".join(one.in_words() for one in slot.wants)
        said = f"each of {said}" if slot.each else said
        said = said if slot.study == CURRENT else f"{slot.study}: {said}"
    parts = [said]
    if slot.like is not None:
        parts.append(f"as like viewport {slot.like + 1} as possible")
    if slot.fusion is not None:
        parts.append(f"with {slot.fusion[0].in_words()} over it")
    if slot.chest_wall:
        parts.append(f"chest wall {slot.chest_wall}")
    if slot.view:
        parts.append(", ".join(f"{name} {_value(value)}" for name, value in slot.view.items()))
    if slot.link:
        parts.append(f"scrolls with {slot.link}")
    return "; ".join(parts) + (" (needed)" if slot.needed else "")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
