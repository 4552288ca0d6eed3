"""The icons that the viewer page's scripts use, by their names in lucide. `icon(name)` there gives a copy."""

ICONS = (
    "blend",
    "box",
    "captions",
    "chevron-down",
    "circle-alert",
    "columns-2",
    "contrast",
    "crosshair",
    "download",
    "ellipsis",
    "expand",
    "file-text",
    "file-x",
    "files",
    "flip-horizontal-2",
    "flip-vertical-2",
    "grid-2x2",
    "image-off",
    "images",
    "keyboard",
    "layers",
    "layout-grid",
    "link-2",
    "link",
    "maximize",
    "move",
    "panel-right",
    "pause",
    "play",
    "printer",
    "rotate-3d",
    "rotate-ccw",
    "rotate-ccw-square",
    "rotate-cw",
    "rows-2",
    "scan",
    "square",
    "square-mouse-pointer",
    "star",
    "x",
    "zoom-in",
    "zoom-out",
)
SMALL, LARGE = {"chevron-down": 14}, {"file-x", "image-off", "circle-alert", "square-mouse-pointer"}


def icon_sizes() -> list[tuple[str, int]]:
    """(name, px)."""
    return [(name, SMALL.get(name, 24 if name in LARGE else 18)) for name in ICONS]
