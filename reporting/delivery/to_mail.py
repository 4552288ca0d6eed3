"""A mail that says that there is a report, with a link to it. Nothing of the patient is in it: mail is a postcard."""

from __future__ import annotations

import asyncio
import smtplib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email

from reporting.delivery.outcomes import NotReached, NotSent, Outgoing

REFERRER = "referrer"
"""As the address: whoever asked for the examination, where they have an account with a mail address."""
TIMEOUT_S = 30
SUBJECT = "A report is ready"
TEXT = """A report is ready for you{at}.

{address}

You sign in to read it. This message says nothing about the patient on purpose.
"""


async def send(outgoing: Outgoing) -> str:
    """Hand one mail to the mail server; returns its answer in words. Raises NotSent."""
    return await asyncio.to_thread(_hand_over, outgoing)


def problems(address: str, options: dict[str, object]) -> list[str]:
    """What is wrong with the address."""
    if address.strip() == REFERRER:
        return []
    try:
        for one in addresses_in(address) or [""]:
            validate_email(one)
    except ValidationError:
        return [f'The address is one or more mail addresses parted by commas, or "{REFERRER}".']
    return []


def addresses_in(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def message_of(outgoing: Outgoing) -> EmailMessage:
    """The mail itself. The link's number of a report says nothing to whoever may not open it."""
    where = f"{settings.FARVIEW_PUBLIC_URL}/reports/{outgoing.report}/"
    organization = str(outgoing.options.get("signed_as") or "").strip()
    host = settings.FARVIEW_PUBLIC_URL.partition("://")[2].partition(":")[0].partition("/")[0] or "localhost"
    test = "This is a test; there is no report. " if not outgoing.report else ""
    text = test + TEXT.format(at=f" at {organization}" if organization else "", address=where if not test else "")
    return EmailMessage(
        SUBJECT if not test else "Test of a mail from Farview",
        text,
        settings.DEFAULT_FROM_EMAIL,
        list(outgoing.recipients),
        headers={"Message-ID": f"<{outgoing.control_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def _hand_over(outgoing: Outgoing) -> str:
    if not settings.EMAIL_HOST:
        raise NotReached("no mail server is named (FARVIEW_SMTP_HOST)")
    if not outgoing.recipients:
        raise NotSent("nobody to write to: the order names no referrer with a mail address")
    message = message_of(outgoing)
    message.connection = get_connection(timeout=TIMEOUT_S)
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused:
        raise NotSent("the mail server refuses every recipient") from None
    except smtplib.SMTPResponseException as problem:
        raise NotSent(f"the mail server answered {problem.smtp_code}", unreachable=problem.smtp_code < 500) from None
    except (OSError, smtplib.SMTPException) as problem:
        raise NotReached(f"the mail server cannot be reached ({type(problem).__name__})") from None
    return "accepted by the mail server"
