"""Forms that a signed report leaves in. A new one: a row of `EXPORTS`."""

from __future__ import annotations
