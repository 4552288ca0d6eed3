"""Coming in, in a real browser: what a request made by hand cannot show is what the browser itself sends and refuses."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import wait_for, wait_until
from tests.live import LiveServer

ADMINISTRATION = (
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/add/",
    "/admin/accounts/auditevent/",
    "/admin/accounts/apitoken/",
)


@pytest.fixture
def page(chromium: Browser, live_server_process: LiveServer) -> Iterator[Page]:
    """An empty browser. `page.refused` collects what the content security policy kept from running or loading."""
    context = chromium.new_context(base_url=live_server_process.url)
    page = context.new_page()
    page.refused = []
    page.on(
        "console", lambda message: page.refused.append(message.text) if "Content Security" in message.text else None
    )
    yield page
    context.close()


def new_person(server: LiveServer, role: str = "radiologist") -> tuple[str, str]:
    """(name, password) of somebody nobody else in the test run is."""
    name = f"person-{secrets.token_hex(4)}"
    return name, server.user(name, role)[0]


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


def arrives_at(page: Page, path: str) -> None:
    wait_until(lambda: path_of(page) == path, f"the page is {path}, not {page.url}", pause=page.wait_for_timeout)


def test_in_by_keyboard_alone_and_on_to_the_page_that_was_asked_for(
    page: Page, live_server_process: LiveServer
) -> None:
    name, password = new_person(live_server_process)
    page.goto("/upload/")
    assert path_of(page) == "/accounts/sign-in/"
    wait_for(page, "document.activeElement.name == 'username'")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    assert "do not match" in alert.inner_text()
    wait_for(page, "document.activeElement.name == 'password'")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    arrives_at(page, "/upload/")
    assert page.refused == []


def test_a_link_signs_in_sets_a_password_and_is_used_up(page: Page, live_server_process: LiveServer) -> None:
    name = f"person-{secrets.token_hex(4)}"
    live_server_process.manage("add_user", name, "--role", "radiologist")
    link = live_server_process.manage("sign_in_link", name).stdout.strip()
    page.goto(link)
    wait_for(page, "document.activeElement.type == 'submit'")
    page.keyboard.press("Enter")
    arrives_at(page, "/accounts/password/")
    for field in ("new_password1", "new_password2"):
        page.fill(f"[name={field}]", "a lantern over the harbour")
    page.keyboard.press("Enter")
    arrives_at(page, "/")
    assert page.goto(link).status == 404
    page.goto("/")
    page.get_by_role("button", name="Sign out").click()
    arrives_at(page, "/accounts/sign-in/")
    assert page.goto("/").url.endswith("/accounts/sign-in/?next=/")
    assert page.refused == []


def test_the_administration_works_under_the_content_security_policy(
    page: Page, live_server_process: LiveServer
) -> None:
    name, password = new_person(live_server_process, "admin")
    page.goto("/accounts/sign-in/?next=/admin/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    arrives_at(page, "/admin/")
    for door in ADMINISTRATION:
        assert page.goto(door).status == 200
    page.goto("/admin/accounts/user/")
    page.get_by_role("link", name=name, exact=True).click()
    wait_until(lambda: re.fullmatch(r"/admin/accounts/user/\d+/change/", path_of(page)), pause=page.wait_for_timeout)
    page.locator("#memberships-group .add-row a").click()
    assert page.locator("select[name=memberships-2-role]").count() == 1
    assert page.refused == []


def test_a_script_put_into_a_page_does_not_run(page: Page) -> None:
    page.goto("/accounts/sign-in/")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"
    )
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = true\">')")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert page.refused
