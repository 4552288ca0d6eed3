"""What axe-core finds wrong with a page that stands in a real browser."""

from __future__ import annotations

import importlib.resources
from functools import cache

from playwright.sync_api import Page

GRAVE = ("serious", "critical")
RUN = """async (grave) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const why = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join("; ");
  return violations
    .filter(({ impact }) => grave.includes(impact))
    .flatMap(({ id, impact, nodes }) => nodes.map((node) => `${impact} ${id}: ${node.target.join(" ")} ${why(node)}`));
}"""


@cache
def script() -> str:
    """axe-core itself, as the wheel brings it."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def grave(page: Page) -> list[str]:
    """Serious and critical findings, each with the element and what is wrong with it."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(script())
    found: list[str] = page.evaluate(RUN, list(GRAVE))
    return found
