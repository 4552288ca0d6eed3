"""Segmentations from whole files to pictures, held against pydicom and plain NumPy; and files that are meant to do harm."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import pack_bits
from pydicom.uid import RLELossless, RTStructureSetStorage, SegmentationStorage

from tests.viewer.dicom.making import image_dataset, item, write
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.engine.engine import Engine
from viewer.engine.errors import CannotDraw, TooLarge
from viewer.engine.segments import Segmentations
from viewer.rendering.segments import PALETTE, Segmentation
from viewer.rendering.view import BadView, View

from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WINDOW = {"window_center": 40, "window_width": 400}


def file_of(path: Path) -> InstanceFile:
    return InstanceFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), read_instance(path).index)


async def drawn(engine: Engine, content: SeriesContent, objects: list[InstanceFile], **view: Any) -> NDArray[np.uint8]:
    """The picture of a View with its pixels."""
    series = await engine.open(content)
    held = {str(file.index["sop"]): file for file in objects}
    picture = await engine.draw(series, View.from_json({**WINDOW, **view}), "image/png", objects=held)
    assert picture.picture is not None
    return picture.picture.picture.pixels


def outlined(below: NDArray[np.uint8], mask: NDArray[np.bool_], color: Any, opacity: float) -> NDArray[np.float64]:
    """What a mask of the picture's own size makes of a grey picture; nothing of it may touch the picture's edge."""
    wide = np.pad(mask, 1)
    around = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    share = np.where(mask, np.where(around, opacity, 1.0), 0.0)[..., None]
    grey = np.repeat(below[..., None], 3, axis=2).astype(float)
    return grey + (np.array(color) - grey) * share


# --- the shared files


async def test_the_real_segmentation_of_the_liver_is_drawn_on_the_slices_it_was_made_on(
    engine: Engine, shared_data: Path
) -> None:
    derived = shared_data / "derived"
    said = pydicom.dcmread(derived / "seg_liver.dcm")
    scans = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(derived.glob("ct3slice_0*.dcm"))]
    content, seg = series_of(derived.glob("ct3slice_0*.dcm")), file_of(derived / "seg_liver.dcm")
    color = (await engine.segmentations.load(seg)).segments[0].color
    choice = {"sop_instance_uid": said.SOPInstanceUID, "segments": [1], "opacity": 0.3}
    for scan in scans:
        (number,) = [
            number
            for number, group in enumerate(said.PerFrameFunctionalGroupsSequence)
            if abs(float(group.PlanePositionSequence[0].ImagePositionPatient[2]) - float(scan.ImagePositionPatient[2]))
            < 0.1
        ]
        named = {"sop_instance_uid": scan.SOPInstanceUID, "size": [512, 512]}
        grey = await drawn(engine, content, [], **named)
        picture = await drawn(engine, content, [seg], segmentations=[choice], **named)
        mask = said.pixel_array[number].astype(bool)
        assert mask.any()
        assert abs(picture - outlined(grey, mask, color, 0.3)).max() <= 0.5001


async def test_the_colour_is_the_one_that_the_file_recommends(engine: Engine, shared_data: Path) -> None:
    """L* 63.6 a* 34.2 b* 30.7 under D50: worked out with the ICC's own profiles by Pillow."""
    from PIL import Image, ImageCms

    path = shared_data / "derived" / "seg_liver.dcm"
    (segment,) = (await engine.segmentations.load(file_of(path))).segments
    stored = pydicom.dcmread(path, stop_before_pixels=True).SegmentSequence[0].RecommendedDisplayCIELabValue
    lab = Image.new("LAB", (1, 1), tuple(round(value / 257.0) for value in stored))
    convert = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    shown = ImageCms.applyTransform(lab, convert)
    assert shown is not None
    assert np.abs(np.subtract(segment.color, shown.getpixel((0, 0)))).max() <= 3
    assert (segment.label, segment.category, segment.type) == ("Liver", "Tissue", "Liver")
    assert segment.algorithm == "semiautomatic, SlicerEditor"


async def test_the_real_segmentation_stands_in_coronal_planes_too(engine: Engine, shared_data: Path) -> None:
    derived = shared_data / "derived"
    said = pydicom.dcmread(derived / "seg_liver.dcm")
    content, seg = series_of(derived.glob("ct3slice_0*.dcm")), file_of(derived / "seg_liver.dcm")
    series = await engine.open(content)
    view = {
        "plane": "coronal", "center": [-30.0, -20.13, -127.69], "pixel_spacing": 0.37, "size": [40, 700], **WINDOW,
        "segmentations": [{"sop_instance_uid": said.SOPInstanceUID, "opacity": 1.0}],
    }  # fmt: skip
    picture = (
        await engine.draw(series, View.from_json(view), "image/png", objects={str(seg.index["sop"]): seg})
    ).picture
    assert picture is not None
    geometry = picture.picture.geometry
    assert geometry is not None
    color = np.array((await engine.segmentations.load(seg)).segments[0].color)
    red = (picture.picture.pixels == color).all(axis=2)
    masks = said.pixel_array.astype(bool)
    heights = [float(g.PlanePositionSequence[0].ImagePositionPatient[2]) for g in said.PerFrameFunctionalGroupsSequence]
    unlike = 0
    for i, j in np.ndindex(red.shape):
        x, y, z = geometry.point(i, j)
        nearest = int(np.argmin([abs(z - height) for height in heights]))
        row, column = round((y + 226.8) / 0.810547), round((x + 235.2) / 0.810547)
        inside = (
            abs(z - heights[nearest]) < 0.5 and 0 <= row < 512 and 0 <= column < 512 and masks[nearest, row, column]
        )
        unlike += bool(inside) != bool(red[i, j])
    assert red.sum() > 1000
    assert unlike <= red.size * 0.001


async def test_the_real_structure_set_is_filled_on_its_slice(engine: Engine, shared_data: Path) -> None:
    derived = shared_data / "derived"
    scan = pydicom.dcmread(derived / "rtstruct_lctsc_ct.dcm", stop_before_pixels=True)
    said = pydicom.dcmread(derived / "rtstruct_lctsc.dcm")
    content, seg = series_of([derived / "rtstruct_lctsc_ct.dcm"]), file_of(derived / "rtstruct_lctsc.dcm")
    grey = await drawn(engine, content, [], size=[512, 512])
    choice = {"sop_instance_uid": said.SOPInstanceUID, "opacity": 0.5}
    picture = await drawn(engine, content, [seg], size=[512, 512], segmentations=[choice])
    height = float(scan.ImagePositionPatient[2])
    wanted = np.repeat(grey[..., None], 3, axis=2).astype(float)
    rows, columns = np.indices((512, 512))
    x = float(scan.ImagePositionPatient[0]) + columns * float(scan.PixelSpacing[1])
    y = float(scan.ImagePositionPatient[1]) + rows * float(scan.PixelSpacing[0])
    filled = 0
    for region in said.ROIContourSequence:
        mask = np.zeros((512, 512), bool)
        for contour in region.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            if abs(points[0, 2] - height) < 1.0:
                mask ^= crossed(points[:, :2], x, y)
        filled += mask.sum()
        if mask.any():
            wanted = outlined(wanted.astype(np.uint8)[..., 0], mask, [int(v) for v in region.ROIDisplayColor], 0.5)
    assert filled > 100
    assert (abs(picture - wanted).max(axis=2) > 0.5001).sum() <= 4  # pixels whose centre lies on a line within rounding


def crossed(points: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even-odd, for each point to the right."""
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 <= y) != (y1 <= y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside


async def test_what_lies_in_another_frame_of_reference_is_refused(engine: Engine, shared_data: Path) -> None:
    seg = file_of(shared_data / "derived" / "tid1500_seg.dcm")
    content = series_of(sorted((shared_data / "series" / "pet_body").glob("*.dcm"))[:3])
    with pytest.raises(BadView, match="frame of reference"):
        await drawn(engine, content, [seg], segmentations=[{"sop_instance_uid": seg.index["sop"]}])
    with pytest.raises(BadView, match="no such object"):
        await drawn(engine, content, [], segmentations=[{"sop_instance_uid": "1.2.3"}])
    held = await engine.segmentations.load(seg)
    assert (held.kind, len(held.segments), held.reason) == ("seg", 1, "")


# --- made files

Masks = NDArray[np.uint8]


def seg_dataset(
    masks: Masks, segments: list[int], *, kind: str = "BINARY", numbers: tuple[int, ...] = (1,), **more: Any
) -> Dataset:
    """A segmentation of axial masks 2 mm apart, over images of `scan`."""
    bits = kind == "BINARY"
    groups = []
    for place, segment in enumerate(segments):
        group = {"PlanePositionSequence": [item({"ImagePositionPatient": [0, 0, 2.0 * place]})]}
        if kind != "LABELMAP":
            group["SegmentIdentificationSequence"] = [item({"ReferencedSegmentNumber": segment})]
        groups.append(item(group))
    shared = item(
        {
            "PlaneOrientationSequence": [item({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]})],
            "PixelMeasuresSequence": [item({"PixelSpacing": [1, 1], "SpacingBetweenSlices": 2})],
        }
    )
    attributes: dict[str, Any] = {
        "SOPClassUID": SegmentationStorage,
        "SOPInstanceUID": "1.2.9.1",
        "SeriesInstanceUID": "1.2.3.9",
        "Modality": "SEG",
        "FrameOfReferenceUID": "1.9",
        "SegmentationType": kind,
        "NumberOfFrames": len(segments),
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": groups,
        "SegmentSequence": [item({"SegmentNumber": n, "SegmentLabel": f"part {n}"}) for n in numbers],
    }
    if bits:
        packed = pack_bits(masks.reshape(-1))
        attributes |= {"PixelData": packed, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}
    return image_dataset(masks, **(attributes | more))


async def loaded(engine: Engine, path: Path, dataset: Dataset, **how: Any) -> Segmentation:
    return await engine.segmentations.load(
        file_of(write(path / f"{np.random.default_rng().integers(2**60)}.dcm", dataset, **how))
    )


@pytest.fixture
def scan(tmp_path: Path) -> SeriesContent:
    """Three axial slices of 20 x 24, 2 mm apart."""
    paths = []
    for number in range(3):
        place = {"ImagePositionPatient": [0, 0, 2.0 * number], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        pixels = np.full((20, 24), 40, np.int16)
        named = {"SOPInstanceUID": f"1.2.3.4.{number}", "FrameOfReferenceUID": "1.9", "PixelSpacing": [1, 1]}
        paths.append(write(tmp_path / f"ct{number}.dcm", image_dataset(pixels, **place, **named)))
    return series_of(paths)


def patches() -> Masks:
    masks = np.zeros((3, 20, 24), np.uint8)
    masks[0, 3:9, 4:15], masks[1, 5:12, 2:8], masks[2, 10:18, 10:20] = 1, 1, 1
    return masks


async def shown(engine: Engine, scan: SeriesContent, path: Path, z: int) -> NDArray[np.bool_]:
    """Where anything lies over the slice at 2 z mm."""
    view = {"sop_instance_uid": f"1.2.3.4.{z}", "segmentations": [{"sop_instance_uid": "1.2.9.1", "opacity": 1}]}
    pixels = await drawn(engine, scan, [file_of(path)], **view)
    found: NDArray[np.bool_] = (pixels[..., 0] != pixels[..., 1]) | (pixels[..., 1] != pixels[..., 2])
    return found


def as_fractions() -> Dataset:
    return seg_dataset(
        patches() * 200,
        [1, 1, 1],
        kind="FRACTIONAL",
        MaximumFractionalValue=200,
        SegmentationFractionalType="OCCUPANCY",
    )


def as_labels() -> Dataset:
    return seg_dataset(
        patches() * 7, [0, 0, 0], kind="LABELMAP", numbers=(0, 7), SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7"
    )


@pytest.mark.parametrize("make", [lambda: seg_dataset(patches(), [1, 1, 1]), as_fractions, as_labels])
async def test_every_type_of_segmentation_is_drawn(
    engine: Engine, scan: SeriesContent, tmp_path: Path, make: Callable[[], Dataset]
) -> None:
    path = write(tmp_path / "seg.dcm", make())
    for z in range(3):
        assert (await shown(engine, scan, path, z) == patches()[z].astype(bool)).all()
    assert all(segment.number for segment in (await engine.segmentations.load(file_of(path))).segments)


async def test_compressed_masks_are_decoded_by_the_children(
    engine: Engine, scan: SeriesContent, tmp_path: Path
) -> None:
    dataset = as_labels()
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    assert (await shown(engine, scan, tmp_path / "seg.dcm", 1) == patches()[1].astype(bool)).all()


async def test_a_slice_that_the_object_lacks_stays_empty(engine: Engine, scan: SeriesContent, tmp_path: Path) -> None:
    dataset = seg_dataset(patches()[:2], [1, 1])
    path = write(tmp_path / "seg.dcm", dataset)
    assert (await shown(engine, scan, path, 1)).any()
    assert not (await shown(engine, scan, path, 2)).any()


async def test_masks_without_positions_are_drawn_on_the_images_they_name(
    engine: Engine, scan: SeriesContent, tmp_path: Path
) -> None:
    dataset = seg_dataset(patches()[:2], [1, 1])
    del dataset.SharedFunctionalGroupsSequence
    del dataset.FrameOfReferenceUID
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        del group.PlanePositionSequence
        source = item({"ReferencedSOPInstanceUID": f"1.2.3.4.{number}", "ReferencedSOPClassUID": "1.2"})
        group.DerivationImageSequence = [item({"SourceImageSequence": [source]})]
    path = write(tmp_path / "seg.dcm", dataset)
    for z in range(2):
        assert (await shown(engine, scan, path, z) == patches()[z].astype(bool)).all()
    assert not (await shown(engine, scan, path, 2)).any()


async def test_segments_without_a_colour_take_one_of_a_fixed_palette(engine: Engine, tmp_path: Path) -> None:
    held = await loaded(engine, tmp_path, seg_dataset(patches(), [2, 1, 2], numbers=(1, 2)))
    assert [segment.color for segment in held.segments] == list(PALETTE[:2])
    assert [segment.label for segment in held.segments] == ["part 1", "part 2"]


async def test_two_readers_share_one_loading(engine: Engine, tmp_path: Path) -> None:
    file = file_of(write(tmp_path / "seg.dcm", seg_dataset(patches(), [1, 1, 1])))
    kept = Segmentations(8 << 20, engine.frames)
    kept.start(engine.readers, engine.children)
    one, other = await asyncio.gather(kept.load(file), kept.load(file))
    assert one is other
    assert kept.cache.counts.misses == 1
    assert kept.cache.used == one.nbytes > 0


# --- files that are meant to do harm, or are only wrong


def spoiled(**more: Any) -> Callable[[], Dataset]:
    return lambda: seg_dataset(patches(), [1, 1, 1], **more)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (spoiled(SegmentSequence=None), "names no segments"),
        (spoiled(SegmentationType="SURFACE"), "type SURFACE is not known"),
        (spoiled(numbers=(1, 1)), "one number to several segments"),
        (spoiled(numbers=(2,)), "belongs to no segment"),
        (lambda: seg_dataset(patches(), [1, 65535, 1]), "frame 2 of the segmentation belongs to no segment"),
        (spoiled(SegmentSequence=[item({"SegmentLabel": "nameless"})]), "has no number"),
    ],
)
async def test_a_segmentation_that_contradicts_itself_says_how(
    engine: Engine, tmp_path: Path, make: Callable[[], Dataset], reason: str
) -> None:
    with pytest.raises(CannotDraw, match=reason):
        await loaded(engine, tmp_path, make())


async def test_an_empty_segmentation_and_one_of_several_times_give_a_reason(engine: Engine, tmp_path: Path) -> None:
    assert (await loaded(engine, tmp_path, seg_dataset(patches() * 0, [1, 1, 1]))).reason == "its masks are all empty"
    times = seg_dataset(patches(), [1, 1, 1])
    for group in times.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 0]
    assert "several masks of one segment at one place" in (await loaded(engine, tmp_path, times)).reason


async def test_65535_segments_are_taken_and_a_flood_of_them_is_not(engine: Engine, tmp_path: Path) -> None:
    many = tuple(range(1, 65536))
    noise = np.random.default_rng(1).integers(1, 65536, (3, 400, 400)).astype(np.uint16)
    sparse = np.zeros((3, 400, 400), np.uint16)
    sparse[0, :256, :256] = np.arange(65536).reshape(256, 256)
    path = write(tmp_path / "many.dcm", seg_dataset(sparse, [0, 0, 0], kind="LABELMAP", numbers=many))
    held = await engine.segmentations.load(file_of(path))
    assert len(held.segments) == 65535
    assert held.nbytes < 64 << 20
    small = Segmentations(8 << 20, engine.frames)
    small.start(engine.readers, engine.children)
    flood = tmp_path / "noise.dcm"
    flood.write_bytes(path.read_bytes().replace(sparse.tobytes(), noise.tobytes()))
    with pytest.raises(TooLarge, match="more than the 4 MB"):
        await small.load(file_of(flood))


async def test_a_picture_or_a_report_is_no_segmentation(engine: Engine, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotDraw, match="holds no segments"):
        await engine.segmentations.load(file_of(shared_data / "derived" / "sr_basic_text.dcm"))


def structures(*contours: Dataset, number: int = 1, **more: Any) -> Dataset:
    dataset = image_dataset(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID="1.2.9.1",
        Modality="RTSTRUCT",
        StructureSetROISequence=[
            item({"ROINumber": 1, "ROIName": "GTV", "ReferencedFrameOfReferenceUID": "1.9", **more})
        ],
        ROIContourSequence=[item({"ReferencedROINumber": number, "ContourSequence": list(contours)})],
    )
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(dataset, keyword)
    return dataset


def contour(points: list[Any], kind: str = "CLOSED_PLANAR") -> Dataset:
    return item({"ContourGeometricType": kind, "NumberOfContourPoints": len(points) // 3, "ContourData": points})


SQUARE = [4, 4, 2, 12, 4, 2, 12, 12, 2, 4, 12, 2]


async def test_a_structure_set_says_what_of_it_is_not_drawn(
    engine: Engine, scan: SeriesContent, tmp_path: Path
) -> None:
    point, upright = contour([5, 5, 2], "POINT"), contour([4, 4, 0, 4, 9, 0, 4, 9, 4, 4, 4, 4])
    half = contour(SQUARE[:-1])
    held = await loaded(engine, tmp_path, structures(contour(SQUARE), point, upright, half))
    assert held.segments[0].label == "GTV"
    assert held.segments[0].reason == (
        "2 points or open lines are not drawn; 1 contours do not lie on the planes of the others and are not drawn"
    )
    path = write(tmp_path / "rt.dcm", structures(contour(SQUARE)))
    mask = await shown(engine, scan, path, 1)
    assert mask.sum() == 64
    assert not (await shown(engine, scan, path, 2)).any()
    assert (await loaded(engine, tmp_path, structures(point))).reason == "none of its regions has closed contours"


@pytest.mark.parametrize("wrong", [["1e400"] * 12, [1e7] * 12, [0] * 12])
async def test_contours_of_no_numbers_or_no_area_draw_nothing(engine: Engine, tmp_path: Path, wrong: list[Any]) -> None:
    dataset = structures(contour(SQUARE))
    broken = dataset.ROIContourSequence[0].ContourSequence[0]
    with pydicom.config.disable_value_validation():
        broken.ContourData = [str(value) for value in wrong] if isinstance(wrong[0], str) else wrong
        held = await loaded(engine, tmp_path, dataset)
    assert held.reason == "none of its regions has closed contours"


async def test_masks_of_more_pixels_than_anybody_has_are_not_looked_through(engine: Engine, tmp_path: Path) -> None:
    dataset = as_labels()
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.Rows = dataset.Columns = 16000
    dataset.save_as(tmp_path / "huge.dcm", enforce_file_format=True)
    with pytest.raises(TooLarge, match="more pixels"):
        await engine.segmentations.load(file_of(tmp_path / "huge.dcm"))


async def test_it_is_known_whether_a_view_waits_for_a_segmentation(
    engine: Engine, scan: SeriesContent, tmp_path: Path
) -> None:
    held = {"1.2.9.1": file_of(write(tmp_path / "seg.dcm", seg_dataset(patches(), [1, 1, 1], SeriesDescription="x")))}
    series = await engine.open(scan)
    view = View.from_json({"segmentations": [{"sop_instance_uid": "1.2.9.1"}]})
    await engine.load(series, View())
    assert engine.resident(series, View())
    assert not engine.resident(series, view, objects=held)
    await engine.load(series, view, objects=held)
    assert engine.resident(series, view, objects=held)
