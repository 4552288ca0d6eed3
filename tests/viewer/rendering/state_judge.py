"""The judge of presentation states: PS3.4 N.2 in plain 64-bit NumPy, read by pydicom. Shares no line with what it judges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

Float = NDArray[np.float64]


def entries(item: Dataset) -> Float:
    data = item.LUTData
    words = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
    return words.astype(np.float64)[: item.LUTDescriptor[0] or 65536]


def looked_up(item: Dataset, values: Float) -> Float:
    table = entries(item)
    return table[np.clip(np.floor(values + 0.5) - item.LUTDescriptor[1], 0, len(table) - 1).astype(int)]


def grey(state: Dataset, values: Float, bits: int, signed: bool = False) -> Float:
    """Stored values, or differences, to 0..255 as the state says; nothing of the image's own counts."""
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    if "ModalityLUTSequence" in state:
        item = state.ModalityLUTSequence[0]
        values, low, high = looked_up(item, values), 0.0, 2.0 ** item.LUTDescriptor[2] - 1
    elif "RescaleSlope" in state:
        slope, intercept = float(state.RescaleSlope), float(state.RescaleIntercept)
        values = values * slope + intercept
        low, high = sorted((low * slope + intercept, high * slope + intercept))
    voi = state.SoftcopyVOILUTSequence[0] if "SoftcopyVOILUTSequence" in state else None
    if voi is None:
        share = (values - low) / (high - low)
    elif "VOILUTSequence" in voi:
        item = voi.VOILUTSequence[0]
        share = looked_up(item, values) / (2.0 ** item.LUTDescriptor[2] - 1)
    else:
        share = windowed(values, float(voi.WindowCenter), float(voi.WindowWidth), voi.get("VOILUTFunction", "LINEAR"))
    if "PresentationLUTSequence" in state:
        item = state.PresentationLUTSequence[0]
        table = entries(item)
        return table[np.floor(share * (len(table) - 1) + 0.5).astype(int)] * 255.0 / (2.0 ** item.LUTDescriptor[2] - 1)
    return (1.0 - share if state.PresentationLUTShape == "INVERSE" else share) * 255.0


def windowed(x: Float, center: float, width: float, function: str) -> Float:
    """0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(-4.0 * (x - center) / width))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    y = (x - center) / width + 0.5
    return np.where(x <= center - width / 2, 0.0, np.where(x > center + width / 2, 1.0, y))


def eight_bits(y: Float) -> NDArray[np.uint8]:
    return np.floor(y + 0.5).astype(np.uint8)


def closed(state: Dataset, rows: int, columns: int, bitmap: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Pixel by pixel, in the file's own count from 1: what the shutter covers (C.7.6.11.1, C.7.6.15.1)."""
    shapes = (
        state.ShutterShape if isinstance(state.ShutterShape, list) or hasattr(state.ShutterShape, "append") else None
    )
    shapes = list(shapes) if shapes is not None else [state.ShutterShape]
    found = np.zeros((rows, columns), bool)
    for i in range(rows):
        for j in range(columns):
            row, column = i + 1, j + 1
            if "RECTANGULAR" in shapes:
                found[i, j] |= not state.ShutterUpperHorizontalEdge <= row <= state.ShutterLowerHorizontalEdge
                found[i, j] |= not state.ShutterLeftVerticalEdge <= column <= state.ShutterRightVerticalEdge
            if "CIRCULAR" in shapes:
                center = state.CenterOfCircularShutter
                found[i, j] |= math.hypot(row - center[0], column - center[1]) > state.RadiusOfCircularShutter
            if "POLYGONAL" in shapes:
                flat = [float(number) for number in state.VerticesOfThePolygonalShutter]
                found[i, j] |= not in_polygon(row, column, list(zip(flat[::2], flat[1::2], strict=True)))
            if bitmap is not None:
                found[i, j] |= bool(bitmap[i, j])
    return found


def in_polygon(row: float, column: float, corners: list[tuple[float, float]]) -> bool:
    """By the angle that the corners turn through as seen from the point; points on the line count."""
    turned = 0.0
    for (r0, c0), (r1, c1) in zip(corners, corners[1:] + corners[:1], strict=True):
        a, b = (r0 - row, c0 - column), (r1 - row, c1 - column)
        cross, dot = a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]
        if cross == 0 and dot <= 0:
            return True
        turned += math.atan2(cross, dot)
    return abs(turned) > 1.0


def spatially(picture: NDArray[Any], state: Dataset) -> NDArray[Any]:
    """Clockwise, then left and right (C.10.6)."""
    picture = np.rot90(picture, -int(state.get("ImageRotation", 0)) // 90)
    return picture[:, ::-1] if state.get("ImageHorizontalFlip", "N") == "Y" else picture
