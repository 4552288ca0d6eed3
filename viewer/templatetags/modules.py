"""`{% preload_modules "viewer/main.js" %}`: a page names every module it needs, so that the browser asks for all at once."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?from\s+"([^"]+)"', re.MULTILINE)


@register.simple_tag
def preload_modules(main: str) -> SafeString:
    """A `modulepreload` for `main` and everything that it imports."""
    return format_html_join(
        "\n    ",
        '<link rel="modulepreload" href="{}">',
        ((static(module),) for module in modules_of(main, settings.FARVIEW_BUILD)),
    )


@lru_cache
def modules_of(main: str, build: str) -> tuple[str, ...]:
    """`main` and what it imports, from near to far. `build` names the tree of files they are read from."""
    root = settings.BASE_DIR / "static"
    found = [main[:]]  # a template's text is a kind of str that a Path takes only with a folder before it
    for module in found:
        folder = (root / module).parent
        for name in _IMPORT.findall((root / module).read_text()):
            target = str(Path(folder, name).resolve().relative_to(root.resolve()))
            if target not in found:
                found.append(target)
    return tuple(found)
