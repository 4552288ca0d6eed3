"""The judge: pictures drawn slowly and plainly from the text of the standard, in 64-bit NumPy.

It reads attributes with pydicom and shares no line with the code it judges. Steps of PS3.4 N.2.1: Modality LUT (PS3.3
C.11.1), VOI LUT (C.11.2), polarity (C.7.6.3.1.2 and Presentation LUT Shape, C.8.11.3.1.2), 8 bits by floor(y + 0.5).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

Float = NDArray[np.float64]


def grey_picture(
    dataset: Dataset,
    stored: NDArray[Any],
    *,
    frame_number: int = 1,
    window: tuple[float, float, str] | None = None,
    voi_lut: int | None = None,
    inverted: bool = False,
) -> NDArray[np.uint8]:
    """`stored` (rows, columns) through the pipeline; either a window (centre, width, function) or a VOI LUT by place."""
    groups = functional_groups(dataset, frame_number)
    values = modality_values(groups, stored.astype(np.float64), dataset)
    if voi_lut is not None:
        y = through_voi_lut(first(groups, "VOILUTSequence")[voi_lut], values)
    else:
        assert window is not None
        y = through_window(values, *window)
    if reversed_polarity(dataset) != inverted:
        y = 255.0 - y
    picture = np.floor(y + 0.5)
    picture[padding(dataset, stored)] = 0
    return picture.astype(np.uint8)


def functional_groups(dataset: Dataset, frame_number: int) -> list[Dataset]:
    """Where attributes of a frame may stand, nearest first: per-frame groups, shared groups, the data set itself."""
    places: list[Dataset] = []
    if "PerFrameFunctionalGroupsSequence" in dataset:
        places.append(dataset.PerFrameFunctionalGroupsSequence[frame_number - 1])
    if "SharedFunctionalGroupsSequence" in dataset:
        places.append(dataset.SharedFunctionalGroupsSequence[0])
    inside = [
        item
        for place in places
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence")
        for item in place.get(name, [])
    ]
    return [*inside, dataset]


def first(places: list[Dataset], name: str) -> Any:
    return next((place[name].value for place in places if name in place and place[name].value is not None), None)


def modality_values(places: list[Dataset], stored: Float, dataset: Dataset) -> Float:
    if dataset.get("Modality") in ("XA", "XRF", "RF") and dataset.get("PixelIntensityRelationship") in ("LOG", "DISP"):
        return stored  # C.8.7.1.1.2
    table = first(places, "ModalityLUTSequence")
    if table:
        return through_lut(table[0], stored, dataset)
    slope, intercept = first(places, "RescaleSlope"), first(places, "RescaleIntercept")
    return stored * float(1 if slope in (None, "") else slope) + float(0 if intercept in (None, "") else intercept)


def through_lut(item: Dataset, values: Float, dataset: Dataset) -> Float:
    count, start, _ = descriptor(item, "LUTDescriptor", signed=dataset.PixelRepresentation == 1)
    entries = lut_entries(item)
    assert len(entries) == count
    return entries[np.clip(np.floor(values + 0.5) - start, 0, count - 1).astype(int)].astype(np.float64)


def through_voi_lut(item: Dataset, values: Float) -> Float:
    count, start, bits = descriptor(item, "LUTDescriptor", signed=bool((values < 0).any()))
    entries = lut_entries(item)
    assert len(entries) == count
    looked_up = entries[np.clip(np.floor(values + 0.5) - start, 0, count - 1).astype(int)]
    return looked_up / (2.0**bits - 1.0) * 255.0


def descriptor(item: Dataset, name: str, signed: bool) -> tuple[int, int, int]:
    count, start, bits = (int(x) for x in item[name].value)
    if signed and start > 32767:
        start -= 65536
    return count or 65536, start, bits


def lut_entries(item: Dataset) -> NDArray[np.uint16]:
    data = item["LUTData"].value
    if isinstance(data, bytes):
        return np.frombuffer(data, "<u2")
    return np.asarray(data, np.uint16)


def through_window(x: Float, c: float, w: float, function: str) -> Float:
    """C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2 with y from 0 to 255."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return 255.0 / (1.0 + np.exp(-4.0 * (x - c) / w))
    if function == "LINEAR_EXACT":
        y = ((x - c) / w + 0.5) * 255.0
        black, white = x <= c - w / 2.0, x > c + w / 2.0
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            y = ((x - (c - 0.5)) / (w - 1.0) + 0.5) * 255.0
        black, white = x <= c - 0.5 - (w - 1.0) / 2.0, x > c - 0.5 + (w - 1.0) / 2.0
    return np.where(black, 0.0, np.where(white, 255.0, y))


def reversed_polarity(dataset: Dataset) -> bool:
    """MONOCHROME1 is white at its minimum; Presentation LUT Shape INVERSE says the same thing once more, not twice."""
    return dataset.PhotometricInterpretation == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE"


def padding(dataset: Dataset, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """C.7.5.1.1.2: the value, or everything between it and the limit."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit", value)
    return (stored >= min(value, limit)) & (stored <= max(value, limit))


def colour_picture(dataset: Dataset, samples: NDArray[Any], photometric: str) -> NDArray[np.uint8]:
    """Samples (rows, columns, 3), or palette indices (rows, columns), as 8-bit RGB."""
    if photometric == "PALETTE COLOR":
        return np.stack([through_palette(dataset, colour, samples) for colour in ("Red", "Green", "Blue")], axis=-1)
    if photometric.startswith("YBR_FULL"):
        return ybr_to_rgb(samples)
    assert photometric == "RGB"
    return np.floor(samples / (2.0**dataset.BitsStored - 1.0) * 255.0 + 0.5).astype(np.uint8)


def through_palette(dataset: Dataset, colour: str, indices: NDArray[Any]) -> NDArray[np.uint8]:
    count, start, bits = descriptor(
        dataset, f"{colour}PaletteColorLookupTableDescriptor", dataset.PixelRepresentation == 1
    )
    data = dataset[f"{colour}PaletteColorLookupTableData"].value
    # Entries of 8 bits are packed one to a byte; some writers give each a word all the same.
    entries = np.frombuffer(data, np.uint8 if bits == 8 and len(data) < 2 * count else "<u2")[:count]
    looked_up = entries[np.clip(indices.astype(int) - start, 0, count - 1)]
    return np.floor(looked_up / (2.0**bits - 1.0) * 255.0 + 0.5).astype(np.uint8)


def ybr_to_rgb(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """The three equations of C.7.6.3.1.2 solved for R, G, B."""
    y, cb, cr = (samples[..., i].astype(np.float64) for i in range(3))
    red = y + 1.402 * (cr - 128.0)
    blue = y + 1.772 * (cb - 128.0)
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    rgb = np.stack((red, green, blue), axis=-1)
    return np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)


def resampled(
    values: Float, real: NDArray[np.bool_], rows: list[dict[int, float]], columns: list[dict[int, float]]
) -> tuple[Float, NDArray[np.bool_]]:
    """Weighted means without padding. `rows[i]` and `columns[j]` hold {voxel: weight} of picture row i and column j."""
    drawn = np.zeros((len(rows), len(columns)))
    shown = np.zeros(drawn.shape, bool)
    for i, down in enumerate(rows):
        for j, across in enumerate(columns):
            total = weight = 0.0
            for r, a in down.items():
                for c, b in across.items():
                    if real[r, c]:
                        total += a * b * values[r, c]
                        weight += a * b
            shown[i, j] = weight >= 1 / 256
            drawn[i, j] = total / weight if shown[i, j] else 0.0
    return drawn, shown


def weights(place: float, step: float, voxels: int) -> dict[int, float]:
    """{voxel: weight} of the pixel whose centre lies at `place`, `step` voxels wide; empty outside of the frame."""
    if not -0.5 <= place < voxels - 0.5:
        return {}
    if step <= 1.0:
        place = min(max(place, 0.0), voxels - 1.0)
        lower = min(math.floor(place), voxels - 1)
        return {lower: lower + 1 - place} | ({lower + 1: place - lower} if place > lower else {})
    covered = {}
    for voxel in range(voxels):
        share = min(place + step / 2, voxel + 0.5) - max(place - step / 2, voxel - 0.5)
        if share > 0:
            covered[voxel] = share
    whole = sum(covered.values())
    return {voxel: share / whole for voxel, share in covered.items()}


def scaled_picture(
    values: Float,
    real: NDArray[np.bool_],
    scale: tuple[float, float],
    size: tuple[int, int],
    *,
    rotation: int = 0,
    flip_horizontal: bool = False,
    flip_vertical: bool = False,
    pan: tuple[float, float] = (0.0, 0.0),
) -> tuple[Float, NDArray[np.bool_]]:
    """`values` turned, flipped, scaled by (down, across) pixels to a voxel, and laid in the middle of the viewport.

    Gives the resampled values and where there are any; `real` is false for padding.
    """
    turned, shown = (
        oriented(values, rotation, flip_horizontal, flip_vertical),
        oriented(real, rotation, flip_horizontal, flip_vertical),
    )
    sides = []
    for side in (0, 1):
        middle, shift = (size[side] - 1) / 2, pan[1 - side] * size[side]
        places = [(i - middle - shift) / scale[side] + (turned.shape[side] - 1) / 2 for i in range(size[side])]
        sides.append([weights(place, 1 / scale[side], turned.shape[side]) for place in places])
    return resampled(turned, shown, *sides)


def oriented(array: NDArray[Any], rotation: int, flip_horizontal: bool, flip_vertical: bool) -> NDArray[Any]:
    """Rotated clockwise, then flipped."""
    array = np.rot90(array, -rotation // 90)
    array = array[:, ::-1] if flip_horizontal else array
    return array[::-1] if flip_vertical else array
