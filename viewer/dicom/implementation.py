"""By which implementation files were written and associations are made (PS3.7 D.3.3.2, PS3.10 7.1)."""

from __future__ import annotations

from typing import Final

IMPLEMENTATION_CLASS_UID: Final = "2.25.247061373842402170363170836208938471263"
IMPLEMENTATION_VERSION_NAME: Final = "FARVIEW"
