"""Pictures one after the other as a video: VP9 in an MP4 file, which browsers play and which needs no H.264 encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import cv2


class ClipWriter:
    """A file that grows by one picture at a time; all are fitted to the size of the first."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._size = (0, 0)
        self._writer: cv2.VideoWriter | None = None

    def add(self, picture: NDArray[np.uint8]) -> None:
        """(rows, columns) or (rows, columns, 3), 8 bits. Raises OSError where no video can be written."""
        import cv2  # here: it takes a moment, and few ask for videos

        if self._writer is None:
            rows, columns = picture.shape[:2]
            self._size = (columns + columns % 2, rows + rows % 2)
            self._writer = cv2.VideoWriter(
                str(self._path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"vp09"), self._rate, self._size
            )
        writer = self._writer
        if not writer.isOpened():
            raise OSError("no video can be written")
        writer.write(_even(picture, self._size))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


def _even(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """In the order of colours that the encoder wants, and of an even size: black at the right and below."""
    columns, rows = size
    out = np.zeros((rows, columns, 3), np.uint8)
    coloured = picture if picture.ndim == 3 else picture[:, :, None]
    height, width = min(rows, coloured.shape[0]), min(columns, coloured.shape[1])
    out[:height, :width] = coloured[:height, :width, ::-1]
    return out
