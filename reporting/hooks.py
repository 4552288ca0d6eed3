"""What the viewer runs and shows for reporting, without knowing of it."""

from __future__ import annotations

from reporting.critical.escalation import escalations
from reporting.delivery.listener import listen
from reporting.delivery.pruning import pruning
from reporting.delivery.sending import deliver
from reporting.exports.glyphs import FONTS
from reporting.pages.address import address_of
from reporting.portal.shared import sharable
from reporting.workflow import verifying
from reporting.worklist import corrections, double_reading, keeping
from reporting.worklist.arrivals import arrivals
from reporting.worklist.priors_ahead import priors_ahead
from reporting.worklist.scheduled import performed, scheduled
from viewer import launch, panels, scheduling, tasks, verification
from viewer.api.sharing import offer_reports
from viewer.archive import correcting, correcting_orders, retention
from viewer.marks import apart
from viewer.rendering.stamping import use_fonts


def install() -> None:
    """Hang reporting into the viewer page, into the server's background tasks and into the modality worklist, and have it
    verified."""
    panels.add(panels.Panel("report", module="reporting/panel.js", sheets=SHEETS))
    for task in TASKS:
        tasks.add(task)
    launch.offer_report(address_of)
    scheduling.add(scheduled, performed)
    correcting.follow(corrections.follow)
    correcting_orders.offer(corrections.choices)
    retention.keep(keeping.reasons)
    offer_reports(sharable)
    apart.offer(double_reading.apart)
    use_fonts([FONTS / name for name in STAMP_FONTS])
    verification.add("reports", verifying.problems, verifying.owners)


STAMP_FONTS = (
    *("NotoSans-Regular.ttf", "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansThai-Regular.ttf"),
    *("NotoSansDevanagari-Regular.ttf", "NotoSansArmenian-Regular.ttf", "NotoSansGeorgian-Regular.ttf"),
    *("NotoSansCJKkr-Hangul.otf", "DroidSansFallbackFull.ttf"),
)
"""With which the marks of share links are written, in the order in which a character is looked for."""

SHEETS = (
    "dialog.css",
    "reporting/signed_report.css",
    "reporting/report.css",
    "reporting/fields.css",
    "reporting/acts.css",
)
"""Style sheets of the viewer page's report panel."""

TASKS: tuple[tasks.Task, ...] = (arrivals, priors_ahead, listen, deliver, escalations, pruning)
"""Coroutine functions that run for as long as the server serves."""
