"""The report that follows from two reads apart: it begins with what both readers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reporting.models import Report, TemplateVersion
from reporting.visibility import BOTH
from reporting.workflow.content import fields_of
from reporting.workflow.difference import empty
from reporting.workflow.naming import name_of
from reporting.workflow.versions import text_of


def agreed(
    reads: Sequence[Report], template: TemplateVersion, content: Mapping[str, Any], fills: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """`content` and `fills` with what both readers say alike in this template. A field of which they say different things is
    empty, without its default too: which of them is right is for whoever writes the report and reads both."""
    said, how = dict(content), dict(fills)
    texts = [text_of(one) for one in reads[-BOTH:]]
    if len(texts) < BOTH or any(one.template_version.template_id != template.template_id for one in texts):
        return said, how
    first, second = (one.content for one in texts)
    for name in fields_of(template.schema):
        said.pop(name, None)
        how.pop(name, None)
        if first.get(name) == second.get(name) and not empty(first.get(name)):
            said[name], how[name] = first[name], "merged"
    return said, how


def told(reads: Sequence[Report]) -> list[dict[str, Any]]:
    """The reads as the answers name them."""
    return [{"id": one.pk, "by": name_of(one.author), "at": text_of(one).at.isoformat()} for one in reads]
