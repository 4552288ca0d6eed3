"""What tests of DIMSE share."""

from tests.viewer.dimse.alone import node

__all__ = ["node"]
