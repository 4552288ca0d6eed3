from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from reporting.models import ReadingItem, Report, TemplateVersion
from tests.reporting.conftest import signed_in
from viewer.models import Study

CALL = {"recipient": "Dr Brandt", "recipient_role": "emergency physician", "method": "phone"}
FOUND = {"finding": "Subdural haematoma", "category": "minutes"}


@pytest.fixture
def report(alice: User, study: Study, item: ReadingItem, template: TemplateVersion) -> Report:
    """Alice's report of the head CT, a draft."""
    return Report.objects.create(
        organization=study.organization,
        study=study,
        item=item,
        order=item.order,
        template_version=template,
        author=alice,
    )


class Caller:
    """One person at the doors of one report's critical results."""

    def __init__(self, user: User, report: Report) -> None:
        self.client, self.root = signed_in(user), f"/api/reports/{report.pk}/critical/"

    def get(self) -> Any:
        return self.client.get(self.root)

    def record(self, **body: Any) -> Any:
        return self.client.post(self.root, {**FOUND, **body}, content_type="application/json")

    def attempt(self, result: int, **body: Any) -> Any:
        return self.client.post(f"{self.root}{result}/attempts/", {**CALL, **body}, content_type="application/json")

    def close(self, result: int) -> Any:
        return self.client.post(f"{self.root}{result}/close/", {}, content_type="application/json")


@pytest.fixture
def call(alice: User, report: Report) -> Caller:
    return Caller(alice, report)
