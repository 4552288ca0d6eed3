"""What can be wrong with a DICOM file. Light on purpose: decode children import it."""

from __future__ import annotations


class DicomError(ValueError):
    """Anything that keeps a file from being read or a frame from being drawn.

    `reason` is a sentence for a person and never holds a patient's data; `code` is for programs.
    """

    code = "dicom"

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[type[DicomError], tuple[str, str]]:
        return type(self), (self.reason, self.code)


class NotDicom(DicomError):
    """The bytes are no DICOM file at all."""

    code = "not_dicom"


class Refused(DicomError):
    """A DICOM file that is not taken in: cut short, malformed, without identity, or over a limit."""

    code = "refused"


class CannotDecode(DicomError):
    """Pixel data that cannot be turned into stored values."""

    code = "cannot_decode"
