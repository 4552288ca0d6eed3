"""Where the picture lies in the patient (PS3.3 C.7.6.2.1.1), in LPS millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .regions import picture_scale
from .sampling import Placement
from .volume import FrameDescription, Point


@dataclass(frozen=True, slots=True)
class PictureGeometry:
    """The plane of a PICTURE. The centre of its pixel (row i, column j) lies at

    `top_left + j * pixel_spacing[1] * row + i * pixel_spacing[0] * column`.
    """

    top_left: Point
    """Centre of the first pixel, LPS mm."""
    row: Point
    """Unit vector in which the column index grows, as the first half of (0020,0037)."""
    column: Point
    """Unit vector in which the row index grows."""
    pixel_spacing: tuple[float, float]
    """mm (between rows, between columns)."""

    def point(self, row: float, column: float) -> Point:
        """Patient coordinates of a place in the picture, in pixels; pixel centres are whole numbers."""
        place = (
            np.asarray(self.top_left)
            + column * self.pixel_spacing[1] * np.asarray(self.row)
            + row * self.pixel_spacing[0] * np.asarray(self.column)
        )
        return _point(place)

    def to_json(self) -> dict[str, Any]:
        return {
            "top_left": list(self.top_left),
            "row": list(self.row),
            "column": list(self.column),
            "pixel_spacing": list(self.pixel_spacing),
        }


def picture_millimetres(placement: Placement, description: FrameDescription) -> tuple[float, float] | None:
    """mm between the picture's rows and between its columns, or None where the file names no source for millimetres."""
    spacing = picture_scale(description)[0]
    if spacing is None:
        return None
    between_rows, between_columns = spacing
    if placement.transposed:
        between_rows, between_columns = between_columns, between_rows
    return between_rows * abs(placement.rows.step), between_columns * abs(placement.columns.step)


def picture_geometry(placement: Placement, description: FrameDescription) -> PictureGeometry | None:
    """The picture's plane, or None for a frame that has no place in the patient."""
    plane, spacing = description.plane, picture_millimetres(placement, description)
    if plane is None or spacing is None or description.pixel_spacing is None:
        return None
    between_rows, between_columns = description.pixel_spacing
    frame_row, frame_column = np.asarray(plane.row), np.asarray(plane.column)
    voxel_row, voxel_column = placement.voxel(0.0, 0.0)
    top_left = (
        np.asarray(plane.position)
        + voxel_column * between_columns * frame_row
        + voxel_row * between_rows * frame_column
    )
    along_columns, along_rows = (frame_column, frame_row) if placement.transposed else (frame_row, frame_column)
    return PictureGeometry(
        top_left=_point(top_left),
        row=_point(along_columns * np.sign(placement.columns.step)),
        column=_point(along_rows * np.sign(placement.rows.step)),
        pixel_spacing=spacing,
    )


def _point(vector: np.ndarray[Any, Any]) -> Point:
    # Adding 0 turns the -0.0 of a flipped axis into 0.0.
    return float(vector[0]) + 0.0, float(vector[1]) + 0.0, float(vector[2]) + 0.0
