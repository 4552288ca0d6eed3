"""Second factors, passkeys and recovery in a real browser, with Chromium's own virtual authenticator."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from playwright.sync_api import Browser, CDPSession, Page

from tests.accounts.totp import code_of
from tests.browser.made import Made
from tests.browser.reporting.writing import at_end, begun_report, saved, writing
from tests.chromium import wait_for, wait_until
from tests.live import LiveServer, free_port

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A mail server: (its mailbox, its port)."""
    folder = tmp_path_factory.mktemp("post") / "box"
    controller = Controller(Mailbox(str(folder)), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield folder, controller.port
    controller.stop()


@pytest.fixture(scope="module")
def server(post: tuple[Path, int]) -> Iterator[LiveServer]:
    """Opened as localhost: a browser makes passkeys for a name, never for an address of numbers."""
    mail = {"FARVIEW_SMTP_HOST": "127.0.0.1", "FARVIEW_SMTP_PORT": str(post[1]), "FARVIEW_SMTP_TLS": "off"}
    with LiveServer(**mail) as server:
        yield server


@pytest.fixture
def page(chromium: Browser, server: LiveServer) -> Iterator[Page]:
    yield from opened(chromium, f"http://localhost:{server.port}")


def opened(chromium: Browser, base: str, **options: object) -> Iterator[Page]:
    context = chromium.new_context(base_url=base, **options)
    page = context.new_page()
    page.refused = []
    page.on("console", lambda line: page.refused.append(line.text) if "Content Security" in line.text else None)
    page.on("pageerror", lambda error: page.refused.append(str(error)))
    yield page
    assert page.refused == []
    context.close()


@pytest.fixture
def device(page: Page) -> tuple[CDPSession, str]:
    """A device that can keep passkeys: (session, its number)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]


@dataclass(frozen=True)
class Somebody:
    """Reads and administers in a house of their own, and is nobody else in the test run."""

    name: str
    house: str
    password: str = "a lantern over the harbour"


@pytest.fixture(scope="module")
def crowd(server: LiveServer) -> Iterator[Somebody]:
    """All people of this file, made by one command."""
    numbers = [secrets.token_hex(4) for _ in range(12)]
    shell(
        server,
        "from accounts.models import *\n"
        f"for number in {numbers}:\n"
        f"    who = User.objects.create_user('person-' + number, number + '@example.org', '{Somebody.password}')\n"
        "    house = Organization.objects.create(name='house-' + number)\n"
        "    for role in ('radiologist', 'admin'):\n"
        "        Membership.objects.create(user=who, organization=house, role=role)\n",
    )
    return iter([Somebody(f"person-{number}", f"house-{number}") for number in numbers])


@pytest.fixture
def who(crowd: Iterator[Somebody]) -> Somebody:
    return next(crowd)


def shell(server: LiveServer, lines: str) -> str:
    return server.manage("shell", "-v", "0", "-c", lines).stdout.strip()


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


def arrives_at(page: Page, path: str) -> None:
    wait_until(lambda: path_of(page) == path, f"{path}, not {page.url}", pause=page.wait_for_timeout)


def sign_in(page: Page, who: Somebody, next: str = "/accounts/") -> None:
    page.goto(f"/accounts/sign-in/?next={next}")
    page.fill("[name=username]", who.name)
    page.fill("[name=password]", who.password)
    page.keyboard.press("Enter")
    wait_until(lambda: path_of(page) != "/accounts/sign-in/", pause=page.wait_for_timeout)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    arrives_at(page, "/accounts/sign-in/")


def add_app(page: Page) -> str:
    """As a person with a keyboard and an app does it; the secret."""
    page.goto("/accounts/app/add/")
    wait_for(page, "document.querySelector('.qr').naturalWidth > 100")
    secret = page.locator(".secret").text_content()
    wait_for(page, "document.activeElement.name == 'code'")
    left = 30 - time.time() % 30
    if left < 3:  # the code before this one's would be two before by the time it arrives
        page.wait_for_timeout(left * 1000)
    page.keyboard.type(code_of(secret, steps=-1))
    page.keyboard.press("Enter")
    codes_are_shown(page)
    return secret


def codes_are_shown(page: Page) -> None:
    page.get_by_role("heading", name="Recovery codes", exact=True).wait_for()
    assert page.locator("#codes code").count() == 10


def add_passkey(page: Page, name: str) -> None:
    page.goto("/accounts/passkeys/add/")
    page.fill("[name=name]", name)
    page.keyboard.press("Enter")
    codes_are_shown(page)


def test_an_app_is_set_up_and_asked_for_by_keyboard_alone(page: Page, who: Somebody) -> None:
    sign_in(page, who)
    secret = add_app(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    codes = Path(saved.value.path()).read_text().split()
    assert codes == page.locator("#codes code").all_text_contents()
    assert len(codes) == 10
    sign_out(page)
    sign_in(page, who, "/upload/")
    arrives_at(page, "/accounts/sign-in/second-factor/")
    wait_for(page, "document.activeElement.name == 'code'")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    assert "did not match" in page.get_by_role("alert").inner_text()
    wait_for(page, "document.activeElement.name == 'code'")
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    arrives_at(page, "/upload/")
    sign_out(page)
    sign_in(page, who, "/upload/")
    page.locator("[name=code]").fill(codes[0])
    page.keyboard.press("Enter")
    arrives_at(page, "/upload/")


def test_a_passkey_is_made_signs_in_without_a_name_and_stands_in_for_the_code(
    page: Page, server: LiveServer, who: Somebody, device: tuple[CDPSession, str]
) -> None:
    sign_in(page, who)
    add_passkey(page, "<b>My laptop</b>")
    page.goto("/accounts/")
    assert page.get_by_text("<b>My laptop</b>", exact=True).count() == 1
    sign_out(page)
    page.goto("/accounts/sign-in/?next=/upload/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    arrives_at(page, "/upload/")
    sign_out(page)
    sign_in(page, who, "/upload/")
    arrives_at(page, "/accounts/sign-in/second-factor/")
    wait_for(page, "document.activeElement.type == 'submit'")
    page.keyboard.press("Enter")
    arrives_at(page, "/upload/")
    ways = shell(
        server,
        "from accounts.models import AuditEvent as A; "
        f"print([a.detail for a in A.objects.filter(action='sign-in', actor='{who.name}').order_by('sequence')])",
    )
    assert ways == "[{'by': 'password'}, {'by': 'passkey'}, {'by': 'password', 'second': 'webauthn'}]"


def test_a_passkey_signs_a_report_in_place_of_the_password(
    page: Page, server: LiveServer, who: Somebody, device: tuple[CDPSession, str], tmp_path: Path
) -> None:
    sign_in(page, who)
    add_passkey(page, "My laptop")
    report = begun_report(page, Made(tmp_path, 472))
    page.goto(f"/reports/{report}/")
    writing(page)
    for name in ("findings", "impression"):
        at_end(page, name)
        page.keyboard.type("No haemorrhage.")
    saved(page)
    page.keyboard.press("Control+Enter")
    dialog = page.locator("dialog.signing")
    dialog.get_by_text("Leave it empty to use your passkey.").wait_for()
    for box in dialog.locator("[name=acknowledged]").all():
        box.check()
    with page.context.expect_page() as opened:
        dialog.get_by_role("button", name="Sign", exact=True).click()
    window = opened.value
    the_same_device(device, page.context.new_cdp_session(window))
    with window.expect_event("close"):
        window.get_by_role("button", name="Use your passkey").click()
    dialog.wait_for(state="detached")
    by = shell(
        server,
        "from accounts.models import AuditEvent as A; "
        f"print([a.detail['by'] for a in A.objects.filter(action='report.sign_final', actor='{who.name}')])",
    )
    assert by == "['passkey']"


def the_same_device(device: tuple[CDPSession, str], window: CDPSession) -> None:
    """Chromium's virtual devices belong to one window: the passkeys of `device` are put into one of another."""
    held, number = device
    window.send("WebAuthn.enable")
    other = window.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
    for credential in held.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]:
        window.send("WebAuthn.addCredential", {"authenticatorId": other, "credential": credential})


def test_a_passkey_is_renamed_and_removed_and_then_opens_nothing(
    page: Page, server: LiveServer, who: Somebody, device: tuple[CDPSession, str]
) -> None:
    sign_in(page, who)
    add_passkey(page, "Old name")
    page.goto("/accounts/")
    page.get_by_role("link", name="Rename Old name").click()
    page.fill("[name=name]", "Key on the ring")
    page.keyboard.press("Enter")
    arrives_at(page, "/accounts/")
    page.get_by_role("link", name="Remove Key on the ring").click()
    page.get_by_role("button", name="Remove").click()
    arrives_at(page, "/accounts/")
    assert page.get_by_text("Key on the ring").count() == 0
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("This passkey is not known here").wait_for()
    page.goto("/upload/")
    arrives_at(page, "/accounts/sign-in/")


def test_a_device_that_did_not_check_its_person_signs_nobody_in(
    page: Page, server: LiveServer, who: Somebody, device: tuple[CDPSession, str]
) -> None:
    session, number = device
    sign_in(page, who)
    add_passkey(page, "Laptop")
    sign_out(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": number, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("The passkey was not used").wait_for()
    assert path_of(page) == "/accounts/sign-in/"


def test_the_same_device_is_not_taken_twice(page: Page, who: Somebody, device: tuple[CDPSession, str]) -> None:
    sign_in(page, who)
    add_passkey(page, "Laptop")
    page.goto("/accounts/passkeys/add/")
    page.keyboard.press("Enter")
    page.get_by_text("holds a passkey of yours already").wait_for()


def test_where_no_passkey_can_be_the_page_says_what_is_needed(chromium: Browser, server: LiveServer) -> None:
    for page in opened(chromium, server.url):
        page.goto("/accounts/sign-in/")
        page.get_by_text("Passkeys need an encrypted address").wait_for()
        assert page.get_by_role("button", name="Sign in with a passkey").is_disabled()
        assert page.get_by_role("button", name="Sign in", exact=True).is_enabled()


def test_an_organization_that_demands_a_second_factor_lets_in_after_it(
    page: Page, server: LiveServer, who: Somebody
) -> None:
    shell(
        server,
        "from accounts.models import Organization as O; "
        f"o = O.objects.get(name='{who.house}'); o.mfa_required = True; o.save()",
    )
    sign_in(page, who, "/upload/")
    arrives_at(page, "/accounts/")
    assert "asks for a second factor" in page.get_by_role("alert").inner_text()
    page.goto("/worklist/")
    arrives_at(page, "/accounts/")
    add_app(page)
    page.goto("/upload/")
    arrives_at(page, "/upload/")


def test_a_form_of_the_administration_is_kept_while_its_sender_is_asked_again(
    page: Page, server: LiveServer, who: Somebody
) -> None:
    sign_in(page, who, "/admin/accounts/organization/")
    page.get_by_role("link", name=who.house).click()
    page.fill("[name=title]", "House of Light")
    shell(
        server,
        "from importlib import import_module as load; from django.contrib.sessions.models import Session as S\n"
        f"from accounts.models import User as U; pk = str(U.objects.get(username='{who.name}').pk)\n"
        "for row in S.objects.all():\n"
        "    if row.get_decoded().get('_auth_user_id') == pk:\n"
        "        store = row.get_session_store_class()(row.session_key); store['signed_in_at'] -= 1000\n"
        "        store['account_authentication_methods'] = []; store.save()",
    )
    page.get_by_role("button", name="Save", exact=True).click()
    arrives_at(page, "/accounts/confirm/")
    wait_for(page, "document.activeElement.name == 'password'")
    page.keyboard.type(who.password)
    page.keyboard.press("Enter")
    page.get_by_text("was changed successfully").wait_for()
    assert page.locator(".field-title").inner_text() == "House of Light"


def test_a_forgotten_password_is_set_anew_by_the_link_in_the_mail(
    page: Page, who: Somebody, post: tuple[Path, int]
) -> None:
    page.goto("/accounts/sign-in/")
    page.get_by_role("link", name="Password forgotten?").click()
    wait_for(page, "document.activeElement.name == 'name'")
    page.keyboard.type(who.name)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Look into your mail").wait_for()
    letter = wait_until(
        lambda: next((text for one in (post[0] / "new").iterdir() if who.name in (text := one.read_text())), ""),
        pause=page.wait_for_timeout,
    )
    link = re.search(r"/accounts/forgotten/\S+", letter.replace("=\n", ""))[0]
    page.goto(link)
    assert path_of(page).endswith("/new/")
    for field in ("new_password1", "new_password2"):
        page.fill(f"[name={field}]", "three ships at anchor")
    page.keyboard.press("Enter")
    arrives_at(page, "/accounts/sign-in/")
    sign_in(page, replace(who, password="three ships at anchor"))
    arrives_at(page, "/accounts/")
    assert page.goto(link).status == 404


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_on_a_telephone_every_page_fits_and_can_be_touched(
    chromium: Browser, server: LiveServer, who: Somebody, scheme: str
) -> None:
    telephone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": scheme}
    for page in opened(chromium, f"http://localhost:{server.port}", **telephone):
        pages = ["/accounts/sign-in/", "/accounts/forgotten/"]
        seen = [fits(page, door) for door in pages]
        sign_in(page, who)
        seen.append(fits(page, "/accounts/app/add/"))
        add_app(page)
        seen.append(fits(page, ""))
        doors = ("", "passkeys/add/", "recovery-codes/new/", "app/remove/", "confirm/")
        seen += [fits(page, f"/accounts/{door}") for door in doors]
        assert seen == [[]] * len(seen)


def fits(page: Page, door: str) -> list[str]:
    """What stands out at the side, or is too small for a finger."""
    if door:
        page.goto(door)
    return page.evaluate(
        """() => {
          const found = document.documentElement.scrollWidth > innerWidth ? ["wide"] : [];
          for (const one of document.querySelectorAll("main button, main a.button, main input:not([type=hidden], .unseen)")) {
            const box = one.getBoundingClientRect();
            if (box.height < 43 || box.right > innerWidth + 1) found.push(`${one.textContent || one.name} ${box.height}`);
          }
          return found;
        }"""
    )
