"""Every URL that can be resolved, asked by everybody who may not: nothing is told, not even that something is there."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import policy
from accounts.authentication import issue
from accounts.models import Organization, Role, User
from tests.accounts.conftest import person
from viewer.models import Patient, Series, Study

REAL = {"study": "1.2.826.1", "series": "1.2.826.2"}
GHOST = {"study": "1.2.826.7", "series": "1.2.826.8"}
SECRETS = ("1.2.826.1", "1.2.826.2", "Geheim", "PID-77", "ACC-77")
SHUT = {302, 401, 404, 405}


def doors() -> list[tuple[str, str]]:
    """(route, name) of every door that is not public; those written as regular expressions are Django's own catch-alls."""
    return [
        (route, name)
        for route, name in policy.doors()
        if "(?P" not in route and policy.rule_named(name) is not policy.PUBLIC
    ]


def address(route: str, uids: dict[str, str]) -> str:
    """The route with its parameters filled: UIDs by the name of the parameter, else 1. The record grows while it is asked, so
    that its keys are none for long."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "key":
            return "999999"
        return next((uid for kind, uid in uids.items() if match[1].startswith(kind)), "1")

    return re.sub(r"<(?:\w+:)?(\w+)>", value, route)


def text_of(answer: HttpResponse) -> str:
    """The body without what differs from page to page anyway: the CSRF token."""
    text = (b"".join(answer) if answer.streaming else answer.content).decode(errors="replace")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


@pytest.fixture
def a_study(db) -> Study:
    home, _ = Organization.objects.get_or_create(name="default")
    patient = Patient.objects.create(
        organization=home, patient_id="PID-77", name="Geheim^Anna", name_folded="geheim anna"
    )
    study = Study.objects.create(
        organization=home,
        patient=patient,
        study_instance_uid=REAL["study"],
        accession_number="ACC-77",
        number_of_series=1,
        number_of_instances=1,
    )
    Series.objects.create(organization=home, study=study, series_instance_uid=REAL["series"], modality="SR")
    return study


def test_the_doors_are_found():
    routes = {route for route, _ in doors()}
    assert {"/", "/studies/<str:study_instance_uid>/", "/api/studies/<str:study_instance_uid>/"} <= routes
    assert address("/studies/<str:study_instance_uid>/", REAL) == "/studies/1.2.826.1/"


@pytest.mark.parametrize(("route", "name"), doors())
def test_nobody_comes_through_by_any_method(a_study, route, name):
    client = Client(enforce_csrf_checks=True)
    for method in ("get", "head", "options", "post", "put", "patch", "delete"):
        answer = getattr(client, method)(address(route, REAL))
        assert answer.status_code in {302, 401}, (method, name)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/sign-in/?next=")


@pytest.mark.parametrize(("route", "name"), doors())
@pytest.mark.parametrize("who", ["bob", "charlie", "boss", "operator"])
def test_whoever_may_not_is_told_what_they_would_be_told_if_nothing_were_there(a_study, request, who, route, name):
    if who == "operator":
        user = person("operator", ("default", Role.ADMIN))
        User.objects.filter(pk=user.pk).update(is_superuser=True)
    else:
        user = request.getfixturevalue(who)
    client, raw = Client(), issue(user)
    real, ghost = (
        client.get(address(route, uids), headers={"Authorization": f"Bearer {raw}"}) for uids in (REAL, GHOST)
    )
    assert real.status_code == ghost.status_code, name
    if real.status_code == 405:  # a door that only acts: asked to act
        real, ghost = (
            client.post(address(route, uids), "{}", "application/json", headers={"Authorization": f"Bearer {raw}"})
            for uids in (REAL, GHOST)
        )
    told, untold = text_of(real), text_of(ghost)
    if (
        "<" in route and not name.startswith("admin:") and name != "api-study-emergency"
    ):  # which asks for a reason first
        assert real.status_code == 404
        assert told == untold
    else:
        assert not any(secret in told for secret in SECRETS)


@pytest.mark.parametrize("path", ["/studies/1.2.826.1/", "/api/studies/1.2.826.1/", "/api/studies/", "/"])
def test_and_whoever_may_is_told(a_study, alice, client, path):
    answer = client.get(path, headers={"Authorization": f"Bearer {issue(alice)}"})
    assert answer.status_code == 200
    if path != "/":
        assert "PID-77" in answer.content.decode()
