"""Pages of the administration about the server as a whole: disk, keys and backups, mail, address. For operators alone."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.mail import EmailMessage, get_connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.system_pages import ALERTS, PAGES, SystemPage, add_page
from viewer import system_address, system_disk
from viewer.admin_retention import must_be_fresh
from viewer.archive import backup, backup_schedule, retention, retention_run
from viewer.system_disk import in_words

MAIL_SECONDS = 15
AGAIN_SECONDS = 3
BEGINS = "A backup is asked for: it begins at once."
FULL_SOON_DAYS = 30
TEXT = "This is a test. Mail from Farview arrives here.\n"


def _shown(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    pages = [
        {"name": one.name, "title": one.title, "address": reverse(f"admin:system_{one.name}")} for one in PAGES.values()
    ]
    given = {**admin.site.each_context(request), "title": PAGES[name].title, "here": name, "pages": pages, **context}
    return render(request, "admin/system/page.html", given)


# --- disk


def disk(request: HttpRequest) -> HttpResponse:
    room, days = system_disk.room(), system_disk.grown(timezone.now())
    growth, freed = sum(size for _, _, size in days), system_disk.freed(timezone.now())
    left = system_disk.days_left(room.left, growth - freed)
    facts = [
        ("Disk", in_words(room.total)),
        ("Free", in_words(room.free)),
        ("Kept free", in_words(room.reserve)),
        ("Stored objects", in_words(system_disk.stored())),
        ("Database", in_words(system_disk.database_size())),
        ("Cache (makes itself again)", in_words(system_disk.folder_size(settings.FARVIEW_CACHE_DIR))),
        ("Temporary", in_words(system_disk.folder_size(settings.FARVIEW_TMP_DIR))),
        (f"In the last {system_disk.DAYS} days", in_words(growth)),
        (f"Deleted by rules in the last {system_disk.DAYS} days", in_words(freed)),
        ("Full", "not at this rate" if left is None else f"in {left:,} days at this rate"),
        ("Rules of retention", _of_rules()),
    ]
    by = [(org, modality, f"{n:,}", in_words(size)) for org, modality, n, size in system_disk.by_organization()]
    tables = [
        {
            "caption": "By organization and modality",
            "heads": ("Organization", "Modality", "Objects", "Size"),
            "rows": by,
        },
        {
            "caption": "By day",
            "heads": ("Day", "Objects", "Size"),
            "rows": [(day, f"{n:,}", in_words(size)) for day, n, size in days],
        },
    ]
    return _shown(request, "disk", facts=facts, tables=tables, notes=_of_room(room, left))


def _of_rules() -> str:
    on, ran = retention.rules_in_force().count(), retention_run.state()
    last = f"; last run {ran['ended']}, {ran['studies']:,} studies, {in_words(ran['freed'])} freed" if ran else ""
    return f"{on} on{last}" if on or ran else "none on"


def _of_retention() -> list[str]:
    """What is wrong with the rules' runs, for the first page as well."""
    ran = retention_run.state()
    if ran and ran["problem"]:
        return [f"The rules of retention were not run to their end on {ran['ended']} ({ran['problem']})."]
    return []


def _of_room(room: system_disk.Room, left: int | None) -> list[system_address.Note]:
    if not room.left:
        return [
            ("error", "The disk is full: nothing more is accepted. Make room, or set FARVIEW_MIN_FREE_BYTES lower.")
        ]
    if left is not None and left < FULL_SOON_DAYS:
        return [("warning", f"At the rate of the last {system_disk.DAYS} days the disk is full in {left} days.")]
    return []


# --- keys and backups


def backups(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _back_up_now(request)
    state = backup.state()
    sound = state["sound"]
    held = set(sound["keys"]) if sound else set()
    keys = [
        (
            path.name,
            f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d}",
            _mode(path),
            _yes(path.name in held),
        )
        for path in sorted(Path(settings.FARVIEW_KEYS_DIR).glob("[!.]*"))
    ]
    tables = [{"caption": "Keys", "heads": ("Key", "Made", "Who may read it", "In the last backup"), "rows": keys}]
    facts = [
        ("Last sound backup", f"{sound['at']}, {in_words(sound['bytes'])}, {sound['file']}" if sound else "none"),
        ("Its keys", ("hidden by a passphrase" if sound["encrypted"] else "readable") if sound else "-"),
        ("By itself", _by_itself()),
        ("To check", "manage.py backup --check FILE, and now and then restore into another folder"),
    ]
    words = (
        "Without the keys nobody can prove that the record and the reports are whole, and everybody has to sign in again. "
        "Keep them, in a backup, on another machine than this.",
        "The certificate of TLS, the passphrase of backups and the settings of the environment are in no backup.",
    )
    notes = [("error", text) for text in _of_backups()]
    at_work = backup.running()
    if at_work or backup_schedule.is_asked():
        done, total = at_work or (0, 0)
        notes.append(("good", f"A backup is being made: {done:,} of {total:,} stored objects." if total else BEGINS))
    button = {"button": "Back up now"} if settings.FARVIEW_BACKUP_DIR and at_work is None else {}
    answer = _shown(request, "backups", facts=facts, tables=tables, notes=notes, words=words, **button)
    if notes and notes[-1][0] == "good":
        answer["Refresh"] = str(AGAIN_SECONDS)
    return answer


def _back_up_now(request: HttpRequest) -> HttpResponse:
    """For whoever has just proved who they are: the file holds everything. The server makes it beside its work."""
    must_be_fresh(request)
    if settings.FARVIEW_BACKUP_DIR and backup.running() is None:
        audit.record("backup.ask", actor=request.user, request=request)
        backup_schedule.ask()
    return HttpResponseRedirect(reverse("admin:system_backups"))


def _of_backups() -> list[str]:
    """What is wrong with the backups, for the first page as well."""
    state = backup.state()
    if state["problem"]:
        return [f"The backup of {state['problem']['at']} failed: {state['problem']['text']}"]
    if backup_schedule.standing() == "overdue":
        last = f"is of {state['sound']['at']}" if state["sound"] else "was never made"
        return [f"The last sound backup {last}: backups by the server do not happen."]
    return []


def _by_itself() -> str:
    if not settings.FARVIEW_BACKUP_DIR or not settings.FARVIEW_BACKUP_HOURS:
        return "no (FARVIEW_BACKUP_DIR)"
    return f"every {settings.FARVIEW_BACKUP_HOURS:g} h into {settings.FARVIEW_BACKUP_DIR}"


def _mode(path: Path) -> str:
    return "others, too: make it 0600" if path.stat().st_mode & 0o077 else "its owner"


def _yes(said: bool) -> str:
    return "yes" if said else "no"


# --- mail


class MailForm(forms.Form):
    to = forms.EmailField(label="Send a test to")


def mail(request: HttpRequest) -> HttpResponse:
    form = MailForm(request.POST or None, initial={"to": getattr(request.user, "email", "")})
    notes: list[system_address.Note] = []
    if not settings.EMAIL_HOST:
        notes.append(("warning", "No mail server is set: FARVIEW_SMTP_HOST and its like, then start the server again."))
    elif request.method == "POST" and form.is_valid():
        audit.record("mail.test.begun", actor=request.user, request=request)
        problem = _tried(form.cleaned_data["to"])
        audit.record("mail.test", actor=request.user, request=request, outcome="failure" if problem else "success")
        notes.append(
            ("error", f"The mail was not sent: {problem}.") if problem else ("good", "The mail server took the test.")
        )
    secured = (
        "TLS" if settings.EMAIL_USE_SSL else "STARTTLS" if settings.EMAIL_USE_TLS else "none: mail travels readable"
    )
    facts = [
        ("Server", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_HOST else "none"),
        ("Encryption", secured),
        ("Signs in as", settings.EMAIL_HOST_USER or "nobody"),
        ("From", settings.DEFAULT_FROM_EMAIL),
    ]
    shown = {"form": form, "button": "Send a test"} if settings.EMAIL_HOST else {}
    return _shown(request, "mail", facts=facts, notes=notes, **shown)


def _tried(to: str) -> str:
    """Empty when it went out; otherwise why not."""
    try:
        way = get_connection(timeout=MAIL_SECONDS)
        EmailMessage("Test of a mail from Farview", TEXT, settings.DEFAULT_FROM_EMAIL, [to], connection=way).send()
    except smtplib.SMTPResponseException as problem:
        words = (
            problem.smtp_error.decode(errors="replace") if isinstance(problem.smtp_error, bytes) else problem.smtp_error
        )
        return f"{problem.smtp_code} {words}"
    except smtplib.SMTPRecipientsRefused as problem:
        return "; ".join(f"{code} {text.decode(errors='replace')}" for code, text in problem.recipients.values())
    except (OSError, smtplib.SMTPException) as problem:
        return str(problem) or type(problem).__name__
    return ""


# --- address


def address(request: HttpRequest) -> HttpResponse:
    public = settings.FARVIEW_PUBLIC_URL
    found = system_address.opened(public, f"{settings.STATIC_URL}favicon.svg")
    facts = [
        ("Public address", public),
        ("TLS by", "the server itself" if settings.FARVIEW_TLS_CERT else "nobody, or a proxy in front of it"),
        ("Trusted proxy", settings.FARVIEW_TRUSTED_PROXY or "none"),
        ("Cookies", "secure" if settings.SESSION_COOKIE_SECURE else "sent over http as well"),
        ("HSTS", f"{settings.SECURE_HSTS_SECONDS // 86400} days" if settings.SECURE_HSTS_SECONDS else "off"),
        ("Clock of the server (UTC)", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"),
    ]
    return _shown(
        request,
        "address",
        facts=facts,
        notes=system_address.notes(public, found, datetime.now(UTC)),
        script="system/address.js",
        public_url=public,
        now=f"{datetime.now(UTC).timestamp():.3f}",
    )


for _name, _title, _view in (
    ("disk", "Disk", disk),
    ("backups", "Keys and backups", backups),
    ("mail", "Mail", mail),
    ("address", "Address and TLS", address),
):
    add_page(SystemPage(_name, _title, _view))
for _alert in (_of_backups, _of_retention):
    if _alert not in ALERTS:
        ALERTS.append(_alert)
