"""Numbers of the DICOM network for `/metrics`: the queues as their rows are, and what the DICOM process has counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from viewer.engine.metrics import Metric, Sample
from viewer.models import Commitment, Quarantined, Transfer

WAITING = ("queued", "running", "failed")
COUNTED = Path("dicom_counts.json")
"""Under FARVIEW_TMP_DIR; the DICOM process writes it every few seconds (`viewer.dimse.counting`)."""


def network() -> Iterator[Metric]:
    """Asks the database."""
    rows = Transfer.objects.order_by().values("kind", "state").annotate(number=Count("pk"))
    yield Metric(
        "transfers",
        "gauge",
        "Studies to and from DICOM peers, by kind (send, retrieve, priors) and state.",
        [Sample(row["number"], {"kind": row["kind"], "state": row["state"]}) for row in rows.order_by("kind", "state")],
    )
    yield Metric(
        "transfer_oldest_seconds",
        "gauge",
        "How long the oldest transfer that is not done has waited, by kind.",
        [Sample(age, {"kind": kind}) for kind, age in _ages()],
    )
    commitments = Commitment.objects.order_by("state").values_list("state").annotate(number=Count("pk"))
    yield Metric(
        "storage_commitments",
        "gauge",
        "Requests for storage commitment, by state.",
        [Sample(number, {"state": state}) for state, number in commitments],
    )
    yield Metric(
        "quarantined_objects",
        "gauge",
        "Refused objects that wait for a person.",
        [Sample(Quarantined.objects.filter(resolved_at=None).count())],
    )
    counted = _counted()
    yield Metric(
        "dicom_associations_total",
        "counter",
        "Associations that peers asked for, since the DICOM process began, by what became of them.",
        [Sample(number, {"outcome": name}) for name, number in sorted(counted.get("associations", {}).items())],
    )
    yield Metric(
        "dicom_objects_total",
        "counter",
        "Objects by C-STORE since the DICOM process began, stored or refused.",
        [Sample(number, {"outcome": name}) for name, number in sorted(counted.get("objects", {}).items())],
    )
    operations = [(*name.split(), number) for name, number in sorted(counted.get("operations", {}).items())]
    yield Metric(
        "dicom_operations_total",
        "counter",
        "Requests of peers that were answered since the DICOM process began, by operation and outcome.",
        [Sample(number, {"operation": operation, "outcome": outcome}) for operation, outcome, number in operations],
    )


def _ages() -> Iterator[tuple[str, float]]:
    now = timezone.now()
    oldest = Transfer.objects.filter(state__in=WAITING).order_by("kind").values_list("kind").annotate(Min("created_at"))
    for kind, since in oldest:
        yield kind, max(0.0, (now - since).total_seconds())


def _counted() -> dict[str, Any]:
    try:
        return dict(json.loads((Path(settings.FARVIEW_TMP_DIR) / COUNTED).read_text()))
    except (OSError, ValueError):
        return {}
