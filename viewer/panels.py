"""Parts that other apps hang into the viewer page: a module that `install(workbench)`s itself, and its style sheets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One such part. `module` and `sheets` are paths under static/."""

    name: str
    module: str
    sheets: tuple[str, ...] = ()


PANELS: list[Panel] = []


def add(panel: Panel) -> None:
    """Called from the `ready` of an app; a second one of the same name takes the first one's place."""
    PANELS[:] = [*(one for one in PANELS if one.name != panel.name), panel]
