"""Demonstration studies: synthetic, ours, with geometry that is known exactly (see `facts`)."""

from __future__ import annotations

from viewer.phantom.ct import chest_ct
from viewer.phantom.studies import write_demonstration

__all__ = ["chest_ct", "write_demonstration"]
