"""Where the thread of an association stands aside while another one asks the peer something and waits for the answer."""

from __future__ import annotations

import threading

from pynetdicom.association import Association


class Checkpoint(threading.Event):
    """In place of pynetdicom's.

    There a thread says that it stands aside (`_is_paused`) and unsays it only some time after it went on. Who closes the
    checkpoint in between takes it to be standing; both then wait for the answer, the thread of the association may get it,
    and throws it away. The one who asked hears nothing, and the association is given up after its time. Here a thread goes
    on and unsays it in one, and nobody closes the checkpoint between the two.
    """

    def __init__(self, association: Association) -> None:
        super().__init__()
        self._association = association
        self._passing = threading.Lock()
        self.set()

    def clear(self) -> None:
        """Close it. Whoever has not gone on by now will not."""
        with self._passing:
            super().clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Until it is open, for `timeout` seconds at a time; whether it is."""
        while super().wait(timeout):
            with self._passing:
                if self.is_set():
                    self._association._is_paused = False
                    return True
        return False
