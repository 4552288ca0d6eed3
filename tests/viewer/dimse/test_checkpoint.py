"""An answer goes to whoever asked, however slowly the threads of an association get their turn."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from tests.viewer.dimse.receiver import Receiver
from viewer.dimse import calling
from viewer.dimse.checkpoint import Checkpoint
from viewer.models import DicomPeer

ASIDE_S, ANSWERED_S = 0.1, 0.3
"""The association's thread looks for messages so late, after the answer has come and before who asked looks for it."""


class Late(Checkpoint):
    """The thread that was let go on does not get its turn for a while."""

    def wait(self, timeout: float | None = None) -> bool:
        closed = not self.is_set()
        found = super().wait(timeout)
        if closed:
            time.sleep(ASIDE_S)
        return found


def test_an_answer_is_not_lost_where_one_question_follows_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "Checkpoint", Late)
    with Receiver() as receiver:
        peer = DicomPeer(ae_title=receiver.ae_title, host="127.0.0.1", port=receiver.port)
        with calling.association(peer, [build_context(Verification)], answer_s=2.0) as opened:
            send = opened.dimse.send_msg

            def asked(*message: Any) -> None:
                send(*message)
                time.sleep(ANSWERED_S)

            monkeypatch.setattr(opened.dimse, "send_msg", asked)
            assert [opened.send_c_echo().get("Status") for _ in range(3)] == [0, 0, 0]


def test_who_closes_it_knows_whether_the_other_has_gone_on() -> None:
    class Other:
        _is_paused = True

    other, gone = Other(), threading.Event()
    checkpoint = Checkpoint(other)  # type: ignore[arg-type]
    checkpoint.clear()

    def go() -> None:
        checkpoint.wait()
        gone.set()

    thread = threading.Thread(target=go)
    thread.start()
    checkpoint.set()
    checkpoint.clear()
    if other._is_paused:  # it was told to go on, and had not
        assert not gone.wait(0.2)
        checkpoint.set()
    thread.join(5)
    assert gone.is_set()
    assert not other._is_paused
