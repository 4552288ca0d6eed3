"""What a picture is made from: stored values and the description that gives them meaning.

Plain frozen values. `viewer.dicom` makes them, `viewer.rendering` draws them; neither a file nor a request is known here.
Coordinates are LPS millimetres, arrays are (rows, columns) or (rows, columns, 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .appearance import DisplayedArea as DisplayedArea
from .appearance import Dressing as Dressing
from .appearance import Graphic as Graphic
from .appearance import MaskRegion as MaskRegion
from .appearance import OverlayPlane as OverlayPlane
from .appearance import Presentation as Presentation
from .appearance import Shutter as Shutter
from .appearance import Subtracted as Subtracted

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A LUT of PS3.3 C.11.1.1 (modality), C.11.2.1.1 (VOI) or C.7.6.3.1.5 (palette).

    Inputs below `first_value_mapped` take the first entry, inputs past the end the last one. `bits` is the third value
    of the LUT Descriptor: entries span 0 .. 2**bits - 1.
    """

    first_value_mapped: int
    data: NDArray[np.uint16]
    bits: int
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Palette:
    """The three tables of a PALETTE COLOR image (PS3.3 C.7.6.3.1.5 and .6); segmented tables are expanded already."""

    red: LookupTable
    green: LookupTable
    blue: LookupTable


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the file (PS3.3 C.11.2.1.2): in modality values, unless a warning of the description says otherwise."""

    center: float
    width: float
    voi_lut_function: str = "LINEAR"
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Plane:
    """The image plane (PS3.3 C.7.6.2): `position` is the centre of the first voxel; `row` is the direction in which the
    column index grows, `column` the one in which the row index grows."""

    position: Point
    row: Point
    column: Point


@dataclass(frozen=True, slots=True)
class SourceLossy:
    """(0028,2110..2114) of an image that was compressed with loss before it came here."""

    ratio: str
    method: str


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A rectangle of an ultrasound image and what its pixels measure (PS3.3 C.8.5.5). Pairs are (along rows, along columns) of
    the frame: of a row index and a column index, or (y, x)."""

    number: int
    """Its place in the sequence, from 1."""
    rows: tuple[int, int]
    """First and last one."""
    columns: tuple[int, int]
    kind: int
    """Region Spatial Format: 1 tissue or flow, 2 M-mode, 3 spectrum, 4 waveform, 5 graphics."""
    low_priority: bool
    """Others hide it where they overlap."""
    units: tuple[int, int]
    """Physical Units: 3 cm, 4 seconds, 5 hertz, 7 cm/s, ..."""
    deltas: tuple[float, float]
    """Physical value from one pixel to the next."""
    reference: tuple[int, int] | None = None
    """The pixel of the frame at which the physical values are `values`."""
    values: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class FrameDescription:
    """Everything about one frame but its pixels: what the greyscale and colour pipelines need (PS3.4 N.2), where the
    frame lies in the patient, and what the corners of the viewport say about it."""

    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    modality: str
    sop_instance_uid: str
    frame_number: int
    """1-based, as the standard counts frames."""
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    modality_lut: LookupTable | None = None
    unit: str = ""
    """Of modality values: HU, BQML, ... ; empty where nobody knows."""
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookupTable, ...] = ()
    pixel_padding: tuple[int, int] | None = None
    """Inclusive range of stored values that are padding (PS3.3 C.7.5.1.1.2); low and high are equal for a single value."""
    presentation_inverse: bool = False
    """Presentation LUT Shape (2050,0020) is INVERSE."""
    palette: Palette | None = None
    plane: Plane | None = None
    frame_of_reference_uid: str = ""
    pixel_spacing: tuple[float, float] | None = None
    """(between rows, between columns) in mm, only where `pixel_spacing_source` can be named."""
    pixel_spacing_source: str = ""
    """"Pixel Spacing", "at the detector (Imager Pixel Spacing)", ...; no number of millimetres without it."""
    pixel_aspect_ratio: tuple[float, float] = (1.0, 1.0)
    """(vertical, horizontal) of one pixel, for drawing only, where no spacing is known."""
    regions: tuple[UltrasoundRegion, ...] = ()
    """Of an ultrasound image: parts with a scale of their own."""
    source_lossy: SourceLossy | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Text for the viewport's corners that belongs to this frame: instance_number, slice_location, ..."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame.

    `values`: (rows, columns) stored values, integer or floating point, sign and bits as described; or (rows, columns, 3)
    colour samples in `photometric_interpretation` (RGB or YBR_FULL after decoding, whatever the file's own was).
    """

    values: NDArray[np.generic]
    photometric_interpretation: str
    description: FrameDescription
    dressing: Dressing | None = None
    """What is laid on it."""


@dataclass(frozen=True, slots=True, eq=False)
class VolumeGeometry:
    """Where the voxels of a volume lie: an affine grid in the patient. The three steps need not stand square on each other:
    under a tilted gantry slices are shifted against each other, and the grid leans with them.
    """

    shape: tuple[int, int, int]
    """(slices, rows, columns)."""
    origin: Point
    """Centre of voxel (0, 0, 0), LPS mm."""
    steps: tuple[Point, Point, Point]
    """LPS mm from a voxel to the one in the next slice, in the next row, in the next column."""
    frame_of_reference_uid: str = ""

    @property
    def to_patient(self) -> NDArray[np.float64]:
        """(3, 4): LPS = to_patient @ (slice, row, column, 1)."""
        return np.column_stack((*map(np.asarray, self.steps), np.asarray(self.origin))).astype(np.float64)

    @property
    def to_voxels(self) -> NDArray[np.float64]:
        """(3, 4): (slice, row, column) = to_voxels @ (x, y, z, 1)."""
        forth = self.to_patient
        back = np.linalg.inv(forth[:, :3])
        return np.column_stack((back, -back @ forth[:, 3]))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm between slices along their normal, between rows, between columns."""
        slices, rows, columns = map(np.asarray, self.steps)
        normal = np.cross(columns, rows)
        return (
            float(abs(slices @ normal) / np.linalg.norm(normal)),
            float(np.linalg.norm(rows)),
            float(np.linalg.norm(columns)),
        )

    def point(self, place: tuple[float, float, float]) -> Point:
        """LPS mm of a place (slice, row, column), fractions allowed."""
        x, y, z = self.to_patient @ (*place, 1.0)
        return float(x), float(y), float(z)


HOLE = -32768
"""In an int16 volume: here is no image (pixel padding, a gap between slices). NaN in a float32 one."""


class Cells(NamedTuple):
    """How 16-bit cells of a frame become values of an int16 volume. All of it is arithmetic modulo 2**16, so that a file can
    be read into the volume itself and be converted where it lies."""

    right: int
    """Bits below the stored ones."""
    mask: int
    """Of the stored bits."""
    sign: int
    """The highest stored bit of signed values, 0 for unsigned ones."""
    offset: int
    padded: bool
    padding_low: int
    padding_span: int
    """Stored values of padding: low .. low + span."""
    instead: int
    """What a real value becomes that would be taken for a hole."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How a volume keeps the values of its frames. Modality value = kept value * `slope` + `intercept`."""

    dtype: np.dtype[np.generic]
    """int16 or float32. A float32 volume holds modality values."""
    slope: float = 1.0
    intercept: float = 0.0
    colour: bool = False
    """Red, green and blue, 0..255, one after another."""

    def offset(self, rescale_intercept: float) -> int:
        """From stored to kept values of a frame with the same slope."""
        return round((rescale_intercept - self.intercept) / self.slope)

    def cells(self, description: CellDescription) -> Cells:
        """For frames without a Modality LUT in an int16 volume."""
        bits, signed = description.bits_stored, description.signed
        lowest, highest = stored_range(bits, signed)
        offset = self.offset(description.rescale_intercept)
        low, high = description.padding or (1, 0)
        low, high = max(low, lowest), min(high, highest)
        return Cells(
            right=description.high_bit + 1 - bits,
            mask=(1 << bits) - 1,
            sign=1 << (bits - 1) if signed else 0,
            offset=offset & 0xFFFF,
            padded=low <= high,
            padding_low=low & 0xFFFF,
            padding_span=max(high - low, 0),
            instead=HOLE + 1 if lowest + offset == HOLE else -HOLE - 1,
        )


class CellDescription(NamedTuple):
    """What `Storage.cells` asks of a frame."""

    bits_stored: int
    high_bit: int
    signed: bool
    rescale_intercept: float
    padding: tuple[int, int] | None


def stored_range(bits_stored: int, signed: bool) -> tuple[int, int]:
    """Least and greatest value that so many bits can say."""
    return (-(1 << (bits_stored - 1)), (1 << (bits_stored - 1)) - 1) if signed else (0, (1 << bits_stored) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Slices of a regular grid out of slices that are not: slice k is frame `below[k]` * (1 - `weight[k]`) + the frame after
    it * `weight[k]`, or nothing where `below[k]` is -1."""

    below: NDArray[np.int32]
    weight: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Bricks:
    """Least and greatest value of each cube of voxels, to pass over space that cannot matter. A brick covers its voxels and
    the next one on each side, so that no interpolated sample that begins in it is outside its range. Holes are left out of
    both; a brick of holes alone has least > greatest."""

    least: NDArray[np.generic]
    greatest: NDArray[np.generic]
    """Cubes of 8 voxels, shape ceil(volume / 8), of the volume's own type."""
    coarse_least: NDArray[np.generic]
    coarse_greatest: NDArray[np.generic]
    """Cubes of 32 voxels."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A checked stack as one array.

    `values`: (slices, rows, columns) int16 or float32, or (3, slices, rows, columns) int16 of red, green and blue; C order,
    read-only. Slices run as the frames of the stack do.
    Modality value = `values` * `slope` + `intercept`.
    """

    key: str
    """The same content has the same key; caches go by it."""
    values: NDArray[np.generic]
    geometry: VolumeGeometry
    description: FrameDescription
    """Of the middle frame: windows, unit, labels that all frames share."""
    slope: float = 1.0
    intercept: float = 0.0
    holes: bool = False
    """Some voxels are no image."""
    corrections: tuple[str, ...] = ()
    """What was done to make a volume of the stack, in words for the reader."""
    bricks: Bricks | None = None
    """None for colour."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Stretches along the slice coordinate where nothing was scanned: not drawn, and nothing is measured across them."""
    places: tuple[float, ...] = ()
    """Slice coordinate of each frame of the stack; empty where slice k is frame k."""
    as_frame: Frame = field(init=False, repr=False)
    """All slices of a grey volume as one tall frame, to find windows and the greyscale pipeline by the same rules as for a
    frame. No value is copied."""

    def __post_init__(self) -> None:
        description = replace(
            self.description,
            rescale_slope=self.slope,
            rescale_intercept=self.intercept,
            modality_lut=None,
            pixel_padding=(HOLE, HOLE) if self.holes and self.values.dtype.kind == "i" else None,
        )
        values = self.values.reshape(-1, self.values.shape[-1])
        object.__setattr__(self, "as_frame", Frame(values, description.photometric_interpretation, description))

    @property
    def frames(self) -> int:
        """Of the stack."""
        return len(self.places) or self.geometry.shape[0]

    @property
    def colour(self) -> bool:
        return self.values.ndim == 4

    @property
    def nbytes(self) -> int:
        """Bricks included."""
        bricks = self.bricks
        parts = () if bricks is None else (bricks.least, bricks.greatest, bricks.coarse_least, bricks.coarse_greatest)
        return int(self.values.nbytes + sum(part.nbytes for part in parts))
