"""What the engine answers when there is no picture. The codes are those of the protocol's `error` message."""

from __future__ import annotations


class CannotDraw(Exception):
    """No picture can be made; `code` is for programs (`cannot_decode`, `too_large`, `busy`), `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class CannotDecode(CannotDraw):
    """The bytes of one frame give no pixels: damaged, unsupported, or past the limits of a decode child."""

    def __init__(self, message: str) -> None:
        super().__init__("cannot_decode", message)


class Busy(CannotDraw):
    """More pictures are asked for than can be drawn soon."""

    def __init__(
        self, message: str = "The server has too many pictures to draw just now; ask again in a moment."
    ) -> None:
        super().__init__("busy", message)


class TooLarge(CannotDraw):
    """It would take more memory than one picture or volume may."""

    def __init__(self, message: str) -> None:
        super().__init__("too_large", message)
