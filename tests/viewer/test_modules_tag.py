"""Pages name their modules in a template, where every text is a SafeString."""

from __future__ import annotations

import pytest
from django.template import Context, Template


@pytest.mark.parametrize("module", ["session.js", "list/main.js"])
def test_a_module_in_any_folder_can_be_named(module: str) -> None:
    shown = Template(f'{{% load modules %}}{{% preload_modules "{module}" %}}').render(Context())
    assert f'/{module}">' in shown
    assert shown.count("modulepreload") > 1
