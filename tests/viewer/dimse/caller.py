"""pynetdicom's user as tests call with it: it loses no answer on a busy machine."""

from __future__ import annotations

from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

from viewer.dimse.checkpoint import Checkpoint


class Caller(AE):
    """An application entity whose associations have the checkpoint of ours."""

    def _create_socket(self, assoc: Association, *more: Any) -> AssociationSocket:
        assoc._reactor_checkpoint = Checkpoint(assoc)
        return super()._create_socket(assoc, *more)
