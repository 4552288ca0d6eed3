"""What is signed can be added to and never changed, not even by SQL that comes in by a side door."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from reporting.models import ItemEvent, ReadingItem, TemplateVersion


def test_a_template_version_stays_what_it_was(template: TemplateVersion) -> None:
    for statement in ("UPDATE reporting_templateversion SET html = ''", "DELETE FROM reporting_templateversion"):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert TemplateVersion.objects.get(pk=template.pk).html == template.html


def test_what_happened_to_an_item_stays_written(item: ReadingItem) -> None:
    event = ItemEvent.objects.create(item=item, kind="ready", at=item.ready_at)
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        event.delete()
    assert ItemEvent.objects.get(pk=event.pk).kind == "ready"
