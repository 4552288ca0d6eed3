"""Rows of the reporting rooms. What is signed is only ever added to: triggers refuse UPDATE and DELETE."""

from reporting.models.delivery import Delivery, DeliveryState, Destination, HL7Peer, InboundMessage
from reporting.models.orders import ItemEvent, ItemStatus, Order, ReadingClass, ReadingItem, SavedFilter
from reporting.models.reports import (
    CriticalAttempt,
    CriticalResult,
    Evidence,
    Report,
    ReportState,
    ReportVersion,
    WorkingText,
)
from reporting.models.sites import ReferrerIdentity, ReportingSite
from reporting.models.templates import Macro, Template, TemplateChoice, TemplateEvent, TemplateVersion

__all__ = [
    "CriticalAttempt",
    "CriticalResult",
    "Delivery",
    "DeliveryState",
    "Destination",
    "Evidence",
    "HL7Peer",
    "InboundMessage",
    "ItemEvent",
    "ItemStatus",
    "Macro",
    "Order",
    "ReadingClass",
    "ReadingItem",
    "ReferrerIdentity",
    "Report",
    "ReportState",
    "ReportVersion",
    "ReportingSite",
    "SavedFilter",
    "Template",
    "TemplateChoice",
    "TemplateEvent",
    "TemplateVersion",
    "WorkingText",
]
