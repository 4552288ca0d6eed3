"""pydicom's log and warnings quote values of data sets, which may be a patient's: no process of ours lets them out."""

from __future__ import annotations

import logging
import warnings

from pydicom import config


def keep_values_out_of_logs() -> None:
    """For the whole process. What is wrong with an object is said by our own reader, without its values."""
    for library in ("pydicom", "pynetdicom"):
        log = logging.getLogger(library)
        log.addHandler(logging.NullHandler())
        log.setLevel(logging.CRITICAL)
        log.propagate = False
    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom)(\.|$)")
