"""Rows of the reporting rooms. What is signed is only ever added to: triggers refuse UPDATE and DELETE."""

from reporting.models.delivery import Delivery, Destination, InboundMessage
from reporting.models.orders import ItemEvent, Order, ReadingItem, SavedFilter
from reporting.models.reports import (
    CriticalAttempt,
    CriticalResult,
    Evidence,
    Report,
    ReportVersion,
)
from reporting.models.sites import ReferrerIdentity, ReportingSite
from reporting.models.templates import Macro, Template, TemplateChoice, TemplateEvent, TemplateVersion

__all__ = [
    "CriticalAttempt",
    "CriticalResult",
    "Delivery",
    "Destination",
    "Evidence",
    "InboundMessage",
    "ItemEvent",
    "Macro",
    "Order",
    "ReadingItem",
    "ReferrerIdentity",
    "Report",
    "ReportVersion",
    "ReportingSite",
    "SavedFilter",
    "Template",
    "TemplateChoice",
    "TemplateEvent",
    "TemplateVersion",
]
