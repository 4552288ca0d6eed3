"""Report templates after IHE MRRT: read, mended, written; which fields are shown; what a filled-in template says. No
Django."""

from reporting.mrrt.notes import Unusable
from reporting.mrrt.reading import Read, read
from reporting.mrrt.showing import shown
from reporting.mrrt.writing import write

__all__ = ["Read", "Unusable", "read", "shown", "write"]
