"""Which JavaScript module may import which, by DESIGN's table; and no page waits for a module it did not name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from viewer.templatetags.modules import modules_of

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
LEAVES = {
    "text.js",
    "theme.js",
    "again.js",
    "i18n.js",
    "sealing.js",
    "news.js",
    "viewer/geometry.js",
    "viewer/protocol.js",
    "viewer/keys.js",
    "viewer/touch.js",
    "viewer/cine.js",
    "viewer/presets.js",
    "viewer/errors.js",
    "viewer/notice.js",
    "viewer/slider.js",
    "viewer/notes.js",
    "viewer/menu.js",
    "viewer/glass.js",
    "viewer/loading.js",
    "viewer/space.js",
    "viewer/plane.js",
    "viewer/opening.js",
    "viewer/versions.js",
    "corrections/way.js",
    "list/search.js",
    "portal/result.js",
    "worklist/search.js",
    "worklist/clock.js",
    "upload/files.js",
    "upload/queue.js",
}
TABLE: dict[str, set[str]] = {
    "viewer/tools/": {"viewer/geometry.js", "viewer/space.js", "viewer/tools/"},
    "viewer/overlay.js": {"text.js", "viewer/ago.js", "viewer/geometry.js", "viewer/screen.js", "viewer/space.js"},
    "viewer/screen.js": {"viewer/geometry.js"},
    "viewer/ago.js": set(),
    "viewer/connection.js": {"viewer/protocol.js"},
    "viewer/thumbnails.js": {"text.js", "viewer/ago.js"},
    "viewer/band.js": {"text.js"},
    "viewer/hand.js": {"viewer/geometry.js", "viewer/space.js", "viewer/tools/", "viewer/touch.js"},
    "viewer/player.js": {"viewer/cine.js", "viewer/space.js"},
    "viewer/spacemenu.js": {"viewer/space.js"},
    "viewer/viewport.js": {
        "viewer/overlay.js",
        "viewer/protocol.js",
        "viewer/hand.js",
        "viewer/notice.js",
        "viewer/versions.js",
        "viewer/slider.js",
        "viewer/glass.js",
        "viewer/player.js",
        "viewer/notes.js",
        "viewer/loading.js",
        "viewer/geometry.js",
        "viewer/space.js",
        "viewer/errors.js",
    },
    "viewer/layout.js": {"viewer/opening.js", "viewer/viewport.js"},
    "viewer/toolbar.js": {
        "viewer/tools/",
        "viewer/keys.js",
        "viewer/presets.js",
        "viewer/menu.js",
        "viewer/spacemenu.js",
    },
    "viewer/side.js": {"viewer/menu.js", "i18n.js"},
    "dialog.js": {"viewer/menu.js"},
    "session.js": {"again.js", "viewer/menu.js"},
    "access/": {"access/", "news.js", "viewer/menu.js", "viewer/features/rest.js"},
    "viewer/features/": {
        "viewer/features/",
        "viewer/tools/",
        "viewer/geometry.js",
        "viewer/keys.js",
        "viewer/layout.js",
        "viewer/menu.js",
        "viewer/plane.js",
        "viewer/presets.js",
        "viewer/screen.js",
        "viewer/space.js",
        "dialog.js",
        "corrections/way.js",
        "exports/dialog.js",
        "share/dialog.js",
        "sealing.js",
        "again.js",
        "i18n.js",
        "text.js",
    },
    "viewer/main.js": {"viewer/", "text.js", "news.js", "i18n.js"},
    "list/table.js": {"text.js", "viewer/menu.js"},
    "list/acts.js": {"corrections/way.js", "transfers/dialogs.js"},
    "share/": {"share/", "dialog.js", "viewer/menu.js", "viewer/features/rest.js"},
    "exports/": {"exports/", "dialog.js", "text.js", "viewer/menu.js", "viewer/features/rest.js"},
    "transfers/": {"transfers/", "dialog.js", "text.js", "news.js", "viewer/menu.js", "viewer/features/rest.js"},
    "reporting/": {
        "reporting/",
        "corrections/words.js",
        "dialog.js",
        "text.js",
        "news.js",
        "viewer/band.js",
        "viewer/menu.js",
        "viewer/keys.js",
        "viewer/features/keyimages/views.js",
        "viewer/features/rest.js",
        "sealing.js",
    },
    "worklist/": {
        "worklist/",
        "corrections/way.js",
        "dialog.js",
        "text.js",
        "news.js",
        "viewer/menu.js",
        "viewer/features/rest.js",
    },
    "corrections/": {"corrections/", "dialog.js", "text.js", "viewer/menu.js", "viewer/features/rest.js"},
    "list/main.js": {"list/", "text.js", "news.js"},
    "upload/main.js": {"upload/", "text.js"},
}
TEMPLATES = ROOT / "templates"
NAMED_BY_VIEWS = [("admin/system/page.html", "system/address.js")]
LOADED = re.compile(r"<script type=\"module\" src=\"{% static '([^']+)' %}\">")


def pages() -> list[tuple[str, str]]:
    """(template, module) of every module that a template loads."""
    found = [(path, main) for path in TEMPLATES.rglob("*.html") for main in LOADED.findall(path.read_text())]
    found += [(TEMPLATES / page, main) for page, main in NAMED_BY_VIEWS]
    return sorted((str(path.relative_to(TEMPLATES)), main) for path, main in found)


def modules() -> list[str]:
    return sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js"))


def imports_of(module: str) -> set[str]:
    found = re.findall(r'^(?:import|export)\b[^;]*?from\s+"([^"]+)"', (STATIC / module).read_text(), re.MULTILINE)
    assert all(name.startswith(".") for name in found), f"{module} imports something that is not ours"
    folder = (STATIC / module).parent
    return {str((folder / name).resolve().relative_to(STATIC)) for name in found}


def rights_of(module: str) -> set[str]:
    if module in LEAVES:
        return set()
    row = max((row for row in TABLE if module.startswith(row)), key=len, default=None)
    assert row is not None, f"{module} has no row in the table"
    return TABLE[row]


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_it_may(module: str) -> None:
    for target in imports_of(module):
        assert not target.endswith("/main.js"), f"{module} imports {target}"
        if target == "i18n.js":
            continue  # words for people are everywhere
        assert any(target.startswith(right) for right in rights_of(module)), f"{module} imports {target}"


def test_every_template_that_loads_modules_is_looked_at() -> None:
    says = re.compile(r"type=.?module|preload_modules|\.js\b(?<!theme\.js)")
    loading = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html") if says.search(path.read_text())}
    assert {page for page, _ in pages()} == loading
    assert {"viewer/study.html", "reporting/report.html", "reporting/worklist.html"} <= loading


@pytest.mark.parametrize(("page", "main"), pages())
def test_a_page_asks_for_all_its_modules_at_once(page: str, main: str) -> None:
    needed, wanted = set(), {main}
    while wanted:
        module = wanted.pop()
        needed.add(module)
        wanted |= imports_of(module) - needed
    alone = needed == {main}
    assert alone or f'{{% preload_modules "{main}" %}}' in (TEMPLATES / page).read_text()
    assert set(modules_of(main, "test")) == needed


def test_no_stylesheet_but_the_tokens_names_a_colour() -> None:
    for path in sorted(STATIC.rglob("*.css")):
        if path == STATIC / "tokens.css":
            continue
        text = path.read_text()
        named = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(", text)
        assert not named, f"{path.name} names {named}"


def test_no_template_holds_a_script_or_a_style_of_its_own() -> None:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), path.name
