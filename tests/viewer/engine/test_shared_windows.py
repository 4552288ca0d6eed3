"""Which stacks are scrolled in one window, and in which each image keeps the one that its file gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.viewer.engine.series import series_of
from viewer.engine.series import open_series


@pytest.mark.parametrize(
    ("folder", "shared"),
    [("ct_chest_lidc0314_jpegls", True), ("pet_body", True), ("mr_head_sag_HFDR", False)],
)  # fmt: skip
def test_values_with_a_unit_share_a_window_and_windows_of_slices_without_one_are_kept(
    folder: str, shared: bool, shared_data: Path
) -> None:
    files = sorted((shared_data / "series" / folder).glob("*.dcm"))
    assert open_series(series_of(files)).shares_window(0) is shared
