"""The administration pages of reporting; each room's are in a module of their own."""

from __future__ import annotations

from reporting.administration import delivery, reports, templates, worklist

__all__ = ["delivery", "reports", "templates", "worklist"]
