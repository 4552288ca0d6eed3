"""One row of every model that the administration shows, all of the world's home, with words by which they are known."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Model
from django.utils import timezone

from accounts import audit
from accounts.authentication import issue
from accounts.models import ApiToken, Membership, Organization, Role, User
from reporting.models import (
    Delivery,
    Destination,
    HL7Peer,
    InboundMessage,
    Macro,
    Order,
    ReadingItem,
    ReferrerIdentity,
    Report,
    ReportingSite,
    ReportVersion,
    Template,
    TemplateChoice,
)
from tests.accounts.matrix.world import ACCESSION, NAME, NUMBER, PATIENT_ID, WORDS, World
from viewer.models import (
    Blob,
    Commitment,
    Conflict,
    Deletion,
    DicomPeer,
    EmergencyAccess,
    Grant,
    HangingProtocol,
    Hold,
    PerformedStep,
    Quarantined,
    RetentionRule,
    Study,
    Transfer,
)

KNOWN_BY = "Verwahrtes"
"""Stands in everything of home that is no patient's."""


def rows_of(world: World) -> dict[type[Model], int]:
    """Model of the administration -> primary key of its row. The operator `operator` administers all, and reads at home."""
    study = Study.objects.get(study_instance_uid=world.real["study_instance_uid"])
    home, boss = study.organization, world.users["admin"]
    for name in ("operator", "of_home"):
        world.users[name] = User.objects.create_user(f"verwahrtes-{name}", is_superuser=name == "operator")
    for name, role in (("operator", Role.ADMIN), ("operator", Role.RADIOLOGIST), ("of_home", Role.REFERRER)):
        Membership.objects.create(user=world.users[name], organization=home, role=role)
    person = world.users["of_home"]
    Organization.objects.filter(pk=home.pk).update(title=KNOWN_BY)
    Order.objects.filter(pk=NUMBER).update(procedure_text=KNOWN_BY)
    issue(person, KNOWN_BY)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    event = audit.record(
        "study.view",
        actor=person,
        organization=home.name,
        patient_id=PATIENT_ID,
        study_instance_uid=study.study_instance_uid,
    )
    now, blob = timezone.now(), Blob.objects.order_by("pk")[0]
    peer = DicomPeer.objects.get(pk=NUMBER)
    made: list[Model] = [
        home,
        person,
        study,
        peer,
        event,
        ApiToken.objects.get(name=KNOWN_BY),
        UserSession.objects.create(
            user=person, ip="10.0.0.7", user_agent=KNOWN_BY, session_key="verwahrtes-key", last_seen_at=now
        ),
        *(model.objects.get(pk=NUMBER) for model in (Transfer, Report, Macro, Order, ReadingItem)),
        Template.objects.get(identifier="geheime-vorlage"),
        EmergencyAccess.objects.order_by("pk")[0],
        Grant.objects.create(study=study, user=person, reason="manual", until=now + timedelta(days=1)),
        Conflict.objects.create(
            organization=home,
            study=study,
            blob=blob,
            reason=KNOWN_BY,
            sop_instance_uid="2.25.7751",
            series_instance_uid="2.25.7752",
            study_instance_uid=study.study_instance_uid,
        ),
        HangingProtocol.objects.create(
            organization=home, name=KNOWN_BY, stages=[{"name": "x", "layout": "1x1", "viewports": [{}]}]
        ),
        Commitment.objects.create(
            organization=home, peer=peer, transaction_uid="2.25.7753", problem=KNOWN_BY, next_try_at=now
        ),
        PerformedStep.objects.create(
            organization=home, peer=peer, sop_instance_uid="2.25.7754", status="COMPLETED", accession_number=ACCESSION
        ),
        Quarantined.objects.create(organization=home, blob=blob, door="dimse", sender=KNOWN_BY, reason=KNOWN_BY),
        (rule := RetentionRule.objects.create(organization=home, description=KNOWN_BY.casefold(), days=3653)),
        Hold.objects.create(organization=home, study=study, reason=KNOWN_BY, placed_by=boss),
        Deletion.objects.create(
            organization=home,
            study=study,
            rule=rule,
            rule_words=KNOWN_BY,
            action="images",
            instances=1,
            size=1,
            at=now,
            finished_at=now,
        ),
        (to := Destination.objects.create(organization=home, name=KNOWN_BY, kind="mail", address="verwahrtes@example")),
        Delivery.objects.create(
            destination=to,
            report_id=NUMBER,
            report_version=ReportVersion.objects.get(report_id=NUMBER),
            next_try_at=now,
            problem=KNOWN_BY,
        ),
        (sender := HL7Peer.objects.create(organization=home, name=KNOWN_BY, address="10.0.0.8")),
        InboundMessage.objects.create(
            organization=home,
            peer=sender,
            sender=KNOWN_BY,
            kind="ORM",
            body=f"PID|||{PATIENT_ID}||{NAME}\rOBX|{WORDS}",
            sha256=hashlib.sha256(b"").hexdigest(),
        ),
        ReportingSite.objects.update_or_create(organization=home, defaults={"letterhead": KNOWN_BY})[0],
        TemplateChoice.objects.create(
            organization=home, template=Template.objects.get(identifier="geheime-vorlage"), words=KNOWN_BY
        ),
        ReferrerIdentity.objects.create(organization=home, user=person, identifier=KNOWN_BY),
    ]
    return {type(row): int(row.pk) for row in made}


def names_of(model: type[Model]) -> str:
    """As names of its pages begin: "viewer_grant"."""
    return f"{model._meta.app_label}_{model._meta.model_name}"


def fields_to_choose(model: type[Model]) -> dict[str, type[Model]]:
    """Form field of the model that names a row of another model -> that model."""
    return {
        field.name: field.related_model
        for field in model._meta.get_fields()
        if getattr(field, "many_to_one", False) and field.concrete and field.related_model is not None
    }


def actions_of(model: type[Model], request: Any) -> list[str]:
    return list(admin.site._registry[model].get_actions(request))
