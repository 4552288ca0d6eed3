"""Single sign-on with an OpenID provider of others, in a real browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.made import Made
from tests.browser.reporting.writing import at_end, begun_report, saved, writing
from tests.chromium import chromium, wait_for  # noqa: F401
from tests.live import LiveServer
from tests.peers.conftest import needed
from tests.peers.openid import HOME, SECRET, OpenIdProvider

ROLES = {
    "readers": "default:radiologist",
    "residents": "default:resident",
    "both": ["default:resident", "nowhere:radiologist"],
}
WORD = "Sign in with Hospital"


class House:
    """Farview and the provider beside it, and an administrator of ours."""

    def __init__(self, server: LiveServer, provider: OpenIdProvider) -> None:
        self.server, self.provider = server, provider
        self.password, token = server.user("keeper", "admin")
        self.api = requests.Session()
        self.api.headers["Authorization"] = f"Bearer {token}"

    def shell(self, code: str) -> str:
        lines = self.server.manage("shell", "-c", code).stdout.splitlines()
        return lines[-1] if lines else ""

    def roles(self, name: str) -> list[list[Any]]:
        """[organization, role, by the provider] of everything that `name` may do."""
        wanted = "'organization__name', 'role', 'by_provider'"
        rows = f"Membership.objects.filter(user__username={name!r}).order_by('role').values_list({wanted})"
        said = self.shell(f"import json; from accounts.models import Membership; print(json.dumps(list({rows})))")
        found: list[list[Any]] = json.loads(said)
        return found


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    needed(HOME / "node_modules" / "oidc-provider", "nodejs npm; then .ci/openid.py")
    server = LiveServer()
    provider = OpenIdProvider(f"{server.url}/accounts/single-sign-on/back/")
    server.environment |= {
        "FARVIEW_OIDC_ISSUER": provider.issuer,
        "FARVIEW_OIDC_CLIENT_ID": "farview",
        "FARVIEW_OIDC_CLIENT_SECRET": SECRET,
        "FARVIEW_OIDC_NAME": "Hospital",
        "FARVIEW_OIDC_SCOPES": "openid profile email groups",
        "FARVIEW_OIDC_ROLES": json.dumps(ROLES),
    }
    try:
        provider.begin()
        with server:
            yield House(server, provider)
    finally:
        provider.end()


@pytest.fixture
def window(house: House, chromium: Browser) -> Iterator[Callable[[], Page]]:  # noqa: F811
    """Browsers that know nobody yet."""
    contexts = []

    def fresh() -> Page:
        contexts.append(chromium.new_context())
        return contexts[-1].new_page()

    yield fresh
    for context in contexts:
        context.close()
    house.provider.control(fault={})


def at_provider(page: Page, subject: str) -> None:
    """Through the provider's own pages: a name and a password, then the consent, where it asks for one."""
    page.fill("input[name=login]", subject)
    page.fill("input[name=password]", "anything")
    page.get_by_role("button", name="Sign-in").click()
    consent(page)


def consent(page: Page) -> None:
    go_on = page.get_by_role("button", name="Continue")
    expect(go_on.or_(page.get_by_role("link", name="Farview, study list"))).to_be_visible()
    if go_on.is_visible():
        go_on.click()


def enter(house: House, page: Page, subject: str, onward: str = "/accounts/sessions/") -> None:
    page.goto(house.server.url + onward)
    page.get_by_role("link", name=WORD).click()
    at_provider(page, subject)


def signed_in_as(house: House, page: Page) -> str | None:
    told = page.request.get(f"{house.server.url}/accounts/session/").json()
    return told.get("name")


def refused(page: Page, words: str) -> None:
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_somebody_whom_a_group_gives_a_role_comes_in_to_the_page_they_asked_for(house, window):
    house.provider.know("alice", "readers", "choir", given_name="Alice", family_name="Adams", email="a@h.example")
    page = window()
    enter(house, page, "alice", "/worklist/")
    page.wait_for_url("**/worklist/")
    assert signed_in_as(house, page) == "alice"
    assert house.roles("alice") == [["default", "radiologist", True]]
    asked = house.provider.control()[-1] if house.provider.control() else {}
    first = [one for one in house.provider.control() if one.get("client_id")][-1]
    assert (first["code_challenge_method"], first["response_type"]) == ("S256", "code")
    assert len(first["nonce"]) >= 32
    assert asked
    said = house.shell(
        "from accounts.models import *; u = User.objects.get(username='alice');"
        "print(u.has_usable_password(), repr(u.email), u.last_name, u.is_superuser)"
    )
    assert said == "False '' Adams False", "an address that nobody verified is not kept"
    by = house.shell(
        "from accounts.models import *; print(AuditEvent.objects.filter(actor='alice', action='sign-in').last().detail)"
    )
    assert by == "{'by': 'single sign-on'}"


def test_roles_follow_the_groups_and_what_an_administrator_gave_stays(house, window):
    house.provider.know("rita", "residents")
    enter(house, window(), "rita")
    house.shell(
        "from accounts.models import *; Membership.objects.create(user=User.objects.get(username='rita'),"
        "organization=Organization.objects.get(name='default'), role='referrer')"
    )
    house.provider.know("rita", "readers")
    enter(house, window(), "rita")
    assert house.roles("rita") == [["default", "radiologist", True], ["default", "referrer", False]]
    house.provider.know("rita", "choir")
    page = window()
    enter(house, page, "rita")
    assert signed_in_as(house, page) == "rita"
    assert house.roles("rita") == [["default", "referrer", False]]


def test_whoever_leaves_the_group_comes_in_no_more_and_their_open_windows_close(house, window):
    house.provider.know("leo", "readers")
    first = window()
    enter(house, first, "leo")
    house.provider.know("leo")
    second = window()
    enter(house, second, "leo")
    refused(second, "no role here")
    assert signed_in_as(house, second) is None
    assert house.roles("leo") == []
    assert first.request.get(f"{house.server.url}/worklist/", max_redirects=0).status == 404


def test_a_stranger_without_a_group_is_not_made_a_person(house, window):
    house.provider.know("stranger", "choir")
    page = window()
    enter(house, page, "stranger")
    refused(page, "no role here")
    assert house.shell("from accounts.models import *; print(User.objects.filter(username='stranger').count())") == "0"


def test_nobody_becomes_an_account_that_is_here_by_its_name_or_its_address(house, window):
    house.server.user("grace", "radiologist")
    house.shell("from accounts.models import *; User.objects.filter(username='grace').update(email='grace@h.example')")
    house.provider.know("thief", "readers", preferred_username="Grace", email="grace@h.example", email_verified=True)
    page = window()
    enter(house, page, "thief")
    refused(page, "here already")
    assert signed_in_as(house, page) is None
    house.provider.know("thief", "readers", preferred_username="thief", email="grace@h.example", email_verified=True)
    enter(house, other := window(), "thief")
    assert signed_in_as(house, other) == "thief"


def test_a_disabled_person_stays_disabled(house, window):
    house.provider.know("dora", "readers")
    enter(house, window(), "dora")
    house.shell("from accounts.models import *; u = User.objects.get(username='dora'); u.is_active = False; u.save()")
    page = window()
    enter(house, page, "dora")
    refused(page, "disabled")
    assert signed_in_as(house, page) is None


FAULTS = {
    "another issuer in the token": {"token": {"iss": "https://evil.example"}},
    "a token for another client": {"token": {"aud": "another"}},
    "another nonce": {"token": {"nonce": "x" * 32}},
    "an expired token": {"token": {"exp": 1_700_000_000, "iat": 1_699_999_000}},
    "a token without an end": {"token": {"exp": None}},
    "a token signed by another": {"signed": "by another"},
    "more about another person": {"userinfo": {"sub": "mallory"}},
    "a description of another issuer": {"discovery": {"issuer": "https://evil.example"}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_is_not_to_be_trusted_signs_nobody_in(house, window, fault):
    house.provider.know("alice", "readers")
    house.provider.control(fault=FAULTS[fault])
    page = window()
    page.goto(f"{house.server.url}/accounts/sign-in/")
    page.get_by_role("link", name=WORD).click()
    if page.url.startswith(house.provider.issuer):
        at_provider(page, "alice")
    refused(page, "not to be trusted")
    assert signed_in_as(house, page) is None


def test_the_same_fault_free_answer_is_accepted_and_is_good_once_and_in_its_own_window(house, window):
    house.provider.know("alice", "readers")
    page, answers = window(), []
    page.on("request", lambda one: answers.append(one.url) if "/single-sign-on/back/" in one.url else None)
    enter(house, page, "alice")
    assert signed_in_as(house, page) == "alice"
    (answer,) = answers
    page.goto(answer)
    refused(page, "belongs to no question")
    other = window()
    other.goto(answer)
    refused(other, "belongs to no question")
    assert signed_in_as(house, other) is None


def test_an_answer_that_names_another_issuer_is_refused(house, window):
    house.provider.know("alice", "readers")
    page = window()
    page.route(
        "**/single-sign-on/back/**",
        lambda route: route.continue_(url=re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", route.request.url)),
    )
    page.goto(f"{house.server.url}/accounts/sign-in/")
    with page.expect_request(lambda one: "/auth?" in one.url) as asking:
        page.get_by_role("link", name=WORD).click()
    state = parse_qs(urlsplit(asking.value.url).query)["state"][0]
    page.goto(f"{house.server.url}/accounts/single-sign-on/back/?code=x&state={state}&iss=https://evil.example")
    refused(page, "not to be trusted")


def test_whoever_thinks_better_of_it_is_told_so(house, window):
    page = window()
    page.goto(f"{house.server.url}/accounts/sign-in/")
    page.get_by_role("link", name=WORD).click()
    page.get_by_role("link", name=re.compile("Cancel|Abort")).click()
    refused(page, "did not sign in")


def test_the_way_on_leads_to_no_other_server(house, window):
    house.provider.know("alice", "readers")
    page = window()
    page.goto(f"{house.server.url}/accounts/single-sign-on/?next=https://evil.example/")
    at_provider(page, "alice")
    page.wait_for_url(f"{house.server.url}/**")


def test_an_account_with_a_password_is_connected_by_its_owner_and_parted_again(house, window):
    password, _ = house.server.user("gina", "radiologist")
    house.provider.know("g-4711", "residents", preferred_username="someone")
    page = window()
    page.goto(f"{house.server.url}/accounts/sessions/")
    page.fill("input[name=username]", "gina")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Connect").click()
    at_provider(page, "g-4711")
    expect(page.get_by_text("You can sign in with Hospital")).to_be_visible()
    other = window()
    enter(house, other, "g-4711")
    assert signed_in_as(house, other) == "gina"
    assert house.roles("gina") == [["default", "radiologist", False], ["default", "resident", True]]
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("button", name="Connect", exact=True)).to_be_visible()
    assert house.roles("gina") == [["default", "radiologist", False]]


def test_the_provider_asks_again_and_it_must_be_the_same_person(house, window):
    for name in ("alice", "mallory"):
        house.provider.know(name, "readers")
    page = window()
    enter(house, page, "alice")
    page.goto(f"{house.server.url}/accounts/single-sign-on/confirm/")
    expect(page.locator("input[name=login]")).to_be_visible()  # although the provider knows this browser
    at_provider(page, "alice")
    expect(page.get_by_text("You have confirmed that it is you")).to_be_visible()
    # Who signs in there as somebody else is signed out there, which would end the session here before the answer comes.
    house.provider.control(fault={"unheard": True})
    page.goto(f"{house.server.url}/accounts/single-sign-on/confirm/")
    at_provider(page, "mallory")
    refused(page, "somebody else")
    assert signed_in_as(house, page) == "alice"


def test_who_came_by_the_provider_writes_and_signs_and_is_asked_by_it_again(house, window, tmp_path):
    house.provider.know("olga", "readers", given_name="Olga", family_name="Orlova")
    page = window()
    enter(house, page, "olga", "/worklist/")
    page.wait_for_url("**/worklist/")
    report = begun_report(page, Made(tmp_path, 471))
    page.goto(f"{house.server.url}/reports/{report}/")
    writing(page)
    for name in ("findings", "impression"):
        at_end(page, name)
        page.keyboard.type("No haemorrhage.")
    saved(page)
    page.keyboard.press("Control+Enter")
    dialog = page.locator("dialog.signing")
    dialog.wait_for()
    assert dialog.locator("input[type=password]").count() == 0
    for box in dialog.locator("[name=acknowledged]").all():
        box.check()
    with page.context.expect_page() as opened:
        dialog.get_by_role("button", name="Sign", exact=True).click()
    provider = opened.value
    expect(provider.locator("input[name=login]")).to_be_visible()
    assert provider.url.startswith(house.provider.issuer), "asked although the provider knows this browser"
    provider.fill("input[name=login]", "olga")
    provider.fill("input[name=password]", "anything")
    with provider.expect_event("close"):
        provider.get_by_role("button", name="Sign-in").click()
    dialog.wait_for(state="detached")
    said = house.shell(
        "from accounts.models import *; from reporting.models import *; "
        "print([a.detail['by'] for a in AuditEvent.objects.filter(actor='olga', action='report.sign_final')], "
        f"Report.objects.get(pk={report}).state)"
    )
    assert said == "['single sign-on'] final"


def test_signed_out_at_the_provider_is_signed_out_here_and_sockets_close(house, window):
    house.provider.know("nora", "readers")
    here, elsewhere = window(), window()
    enter(house, here, "nora", "/worklist/")
    here.wait_for_url("**/worklist/")
    enter(house, elsewhere, "nora", "/worklist/")
    elsewhere.wait_for_url("**/worklist/")
    here.evaluate(
        """() => new Promise((resolve) => {
          const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/news/");
          socket.onopen = resolve;
          socket.onclose = ({ code }) => (window.closed_by = code);
        })"""
    )
    provider = here.context.new_page()
    provider.goto(f"{house.provider.issuer}/session/end")
    provider.get_by_role("button", name="Yes").click()
    begun = time.monotonic()
    wait_for(here, "window.closed_by", 20)
    assert time.monotonic() - begun < 10, "five seconds, and as much for a busy machine"
    assert here.evaluate("window.closed_by") == 4401
    here.goto(f"{house.server.url}/worklist/")
    assert "/accounts/sign-in/" in here.url
    assert signed_in_as(house, elsewhere) == "nora", "another session at the provider"


def test_a_provider_that_asked_nobody_confirms_nothing(house, window):
    house.provider.know("alice", "readers")
    page = window()
    enter(house, page, "alice")
    house.provider.control(fault={"token": {"auth_time": int(time.time()) - 3600}})
    page.goto(f"{house.server.url}/accounts/single-sign-on/confirm/")
    at_provider(page, "alice")
    refused(page, "did not ask you again")


def test_a_provider_that_is_down_is_said_so_and_the_password_still_works(house, window):
    house.provider.end()
    try:
        page = window()
        page.goto(f"{house.server.url}/accounts/sign-in/")
        page.get_by_role("link", name=WORD).click()
        refused(page, "cannot be reached")
        page.get_by_role("link", name="To the sign-in page").click()
        page.fill("input[name=username]", "keeper")
        page.fill("input[type=password]", house.password)
        page.keyboard.press("Enter")
        page.locator(".who").wait_for()
        assert signed_in_as(house, page) == "keeper"
    finally:
        house.provider.begin()


def test_no_token_and_no_code_is_in_the_log(house, window):
    log = house.server.log()
    assert "an answer of the OpenID provider was refused" in log
    assert not re.search(r"eyJ|code=|id_token", log)
