"""Who reports: Alice (radiologist) may, Bob (referrer of another patient) and Charlie (stranger) may not; Rita is a resident,
Tess a technologist, boss an administrator. The study is a real one; `item` and `template` stand in rows."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import audit
from accounts.models import Membership, Organization, Role, User
from reporting.models import Order, ReadingItem, Template, TemplateVersion
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.storage import BlobStore, blob_store
from viewer.models import Study

PASSWORD = "a lantern over the harbour"
HEAD = "series/ct_head_gantry_tilt_ge_jpll"


@pytest.fixture(autouse=True)
def own_folders(settings: LazySettings, tmp_path: Path) -> Path:
    """Every test has its own keys, head files and store."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.FARVIEW_DATA_DIR = tmp_path
    settings.FARVIEW_KEYS_DIR = tmp_path / "keys"
    settings.FARVIEW_BLOB_DIR = tmp_path / "blob"
    settings.FARVIEW_MIN_FREE_BYTES = 0
    settings.FARVIEW_MIN_FREE_FRACTION = 0.0
    settings.FARVIEW_BLOB_DIR.mkdir()
    audit._kept_key.cache_clear()
    audit._journal.written = float("-inf")
    return tmp_path


@pytest.fixture
def store(own_folders: Path) -> BlobStore:
    return blob_store()


@pytest.fixture
def site(db: None) -> Organization:
    return Organization.objects.create(name="default", title="Harbour Hospital", time_zone="Europe/Berlin")


def person(name: str, organization: Organization, role: str, full_name: str = "") -> User:
    given, _, family = full_name.partition(" ")
    user = User.objects.create_user(name, password=PASSWORD, first_name=given, last_name=family)
    Membership.objects.create(user=user, organization=organization, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


@pytest.fixture
def alice(site: Organization) -> User:
    return person("alice", site, Role.RADIOLOGIST, "Alice Adler")


@pytest.fixture
def bob(site: Organization) -> User:
    return person("bob", site, Role.REFERRER, "Bob Brandt")


@pytest.fixture
def rita(site: Organization) -> User:
    return person("rita", site, Role.RESIDENT, "Rita Rossi")


@pytest.fixture
def tess(site: Organization) -> User:
    return person("tess", site, Role.TECHNOLOGIST, "Tess Turner")


@pytest.fixture
def boss(site: Organization) -> User:
    return person("boss", site, Role.ADMIN, "Bo Boss")


@pytest.fixture
def charlie(db: None) -> User:
    return person("charlie", Organization.objects.create(name="elsewhere"), Role.RADIOLOGIST, "Charlie Stranger")


@pytest.fixture
def study(site: Organization, store: BlobStore, shared_data: Path) -> Study:
    """Two images of a real head CT; more are not needed to write about it."""
    files = sorted((shared_data / HEAD).glob("*.dcm"))[:2]
    sources = [source for file in files for source in walk(file)]
    told = list(ingest(sources, Sender(site, "tess", "upload")))
    assert {one.outcome for one in told} == {"stored"}
    return Study.objects.get()


@pytest.fixture
def item(study: Study) -> ReadingItem:
    """An order for the head CT and its reading item, ready to be read."""
    order = Order.objects.create(
        organization=study.organization,
        patient=study.patient,
        accession_number=study.accession_number or "A-1",
        patient_name=study.patient.name,
        procedure_code="CTHEAD",
        procedure_text="CT head",
        modality="CT",
        body_part="HEAD",
        reason="Fall, headache. Bleeding?",
        referring_physician="Brandt^Bob",
        referring_identifier="R-77",
    )
    now = datetime.now(UTC)
    held, _ = ReadingItem.objects.update_or_create(
        order=order,
        defaults={
            "organization": study.organization,
            "study": study,
            "status": "ready",
            "ready_at": now,
            "last_image_at": now,
        },
    )
    return held


def text_field(name: str, required: bool = False) -> dict[str, object]:
    return {
        **{"id": name, "type": "textarea", "label": name.replace("_", " ").capitalize(), "default": ""},
        **{"required": required, "completion": "PROHIBIT" if required else "NONE", "units": "", "minimum": None},
        **{"maximum": None, "step": None, "multiple": False, "options": [], "suggestions": [], "merge": ""},
        **{"show_if": None, "codes": [], "spoken": ""},
    }


@pytest.fixture
def template(site: Organization) -> TemplateVersion:
    """A template in use: findings with two fields, impression."""
    size = {**text_field("size"), "type": "number", "label": "Size", "units": "mm", "minimum": 0, "maximum": 200}
    schema = {
        "title": "CT head",
        "language": "en",
        "sections": [
            {
                **{"id": "findings", "title": "Findings", "level": 1, "required": True},
                "code": {"value": "59776-5", "scheme": "LN", "meaning": "Findings"},
                "fields": [text_field("findings", required=True), size],
            },
            {
                **{"id": "impression", "title": "Impression", "level": 1, "required": True},
                "code": {"value": "19005-8", "scheme": "LN", "meaning": "Impression"},
                "fields": [text_field("impression", required=True)],
            },
        ],
    }
    made = Template.objects.create(identifier="test-head", title="CT head")
    version = TemplateVersion.objects.create(
        template=made,
        number=1,
        title="CT head",
        html="<!DOCTYPE html><html><body></body></html>",
        schema=schema,
        sha256=hashlib.sha256(b"").hexdigest(),
        created_at=datetime.now(UTC),
    )
    Template.objects.filter(pk=made.pk).update(active_version=version)
    return version
