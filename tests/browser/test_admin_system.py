"""The page of the address in a real browser: sockets, clocks and the address are tried from where the administrator sits."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.chromium import chromium  # noqa: F401
from tests.live import LiveServer


def test_an_operator_sees_the_pages_and_the_browser_tries_the_address(
    chromium: Browser,  # noqa: F811
    live_server_process: LiveServer,
) -> None:
    server = live_server_process
    link = server.manage("first_admin").stdout.split()[-1]
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(link)
    if page.locator("form button[type=submit]").count():
        page.locator("form button[type=submit]").first.click()
    page.goto(f"{server.url}/admin/")
    page.get_by_role("link", name="Address and TLS", exact=True).first.click()
    tried = page.locator("#browser")
    expect(tried).to_contain_text("WebSockets come through")
    expect(tried).to_contain_text("clocks of this computer and of the server agree")
    expect(page.locator(".system-notes").first).to_contain_text(f"The server opens http://127.0.0.1:{server.port}")
    for name, words in (("Disk", "Stored objects"), ("Keys and backups", "audit_key"), ("Mail", "FARVIEW_SMTP_HOST")):
        page.get_by_label("System", exact=True).get_by_role("link", name=name).click()
        expect(page.locator("#content")).to_contain_text(words)
    context.close()
    assert complaints == []
