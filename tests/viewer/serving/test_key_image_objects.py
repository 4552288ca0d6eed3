"""The server's own task writes key images into the archive once they are at rest, and only once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from tests.viewer.archive.objects import slices
from viewer.archive.ingest import ingest_file
from viewer.marks import key_objects
from viewer.models import Instance, KeyImage
from viewer.serving.key_image_objects import KeyImageObjects

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db(transaction=True)]

DOOR = "/api/studies/1.2.3/key-images/"


def test_key_images_at_rest_are_written_by_the_server(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    for path in slices(tmp_path, 4):
        ingest_file(path, hospital, "ingest", "")
    for view in ({"frame": 1}, {"plane": "coronal", "size": [16, 16]}):
        body = json.dumps({"series": "1.2.3.4", "view": view})
        assert alice.post(DOOR, body, content_type="application/json").status_code == 201
    task = KeyImageObjects()
    look = async_to_sync(task.look)
    assert look() == [], "the reader may go on"
    KeyImage.objects.update(created_at=timezone.now() - 2 * key_objects.QUIET)
    written = look()
    classes = set(Instance.objects.filter(sop_instance_uid__in=written).values_list("series__modality", flat=True))
    assert (len(written), classes) == (3, {"PR", "OT", "KO"})
    assert look() == []
    assert async_to_sync(KeyImageObjects().look)() == [], "nor by a server that starts anew"
