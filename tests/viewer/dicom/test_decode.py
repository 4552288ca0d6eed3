"""Every transfer syntax of the shared files, against what three other decoders made of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viewer.dicom.making import sources_of
from viewer.dicom.decode import DECODERS, decode, load_frame
from viewer.dicom.errors import CannotDecode, DicomError
from viewer.dicom.layout import FrameLayout
from viewer.dicom.pixels import read_encoded, read_native
from viewer.dicom.read import read_instance

LOSSY = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 53, 55)}


def digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


@pytest.fixture(scope="session")
def manifest(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "manifest.json").read_text())["items"]


@pytest.fixture(scope="session")
def htj2k_with_identity(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared HTJ2K file names neither study nor series; the same pixels in a file that does."""
    dataset = pydicom.dcmread(shared_data / "syntax_other" / "HTJ2KLossless_08_RGB.dcm")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    path = tmp_path_factory.mktemp("htj2k") / "image.dcm"
    dataset.save_as(path)
    return path


def known_frames(manifest: dict[str, Any]) -> list[str]:
    names = [name for name, item in manifest.items() if "A" in item and len(str(item["A"])) == 16]
    names += [name for name, item in manifest.items() if str(item.get("A", "")).startswith("ERR") and "B" in item]
    return [name for name in names if not name.startswith("malformed/")]


def test_first_frames_hold_the_values_other_decoders_found(
    shared_data: Path, manifest: dict[str, Any], htj2k_with_identity: Path
) -> None:
    names = known_frames(manifest)
    assert len(names) > 70
    wrong = []
    for name in names:
        path = htj2k_with_identity if "HTJ2K" in name else shared_data / name
        source = sources_of(path)[0]
        values = load_frame(source).values
        known = {str(manifest[name].get(letter, ""))[:16] for letter in "ABC"}
        if digest(values) not in known and not within_a_step(path, source.layout, values, manifest[name]):
            wrong.append(f"{name}: {digest(values)} is not in {known}")
    assert not wrong


def within_a_step(path: Path, layout: FrameLayout, values: np.ndarray, item: dict[str, Any]) -> bool:
    """Lossy DCT decoders may differ by rounding: one step from decoder A, five where colours are subsampled, or from
    decoder B, in a process of its own because it may abort, where A knows no such process."""
    if layout.transfer_syntax_uid not in LOSSY:
        return False
    reference = by_gdcm(path) if str(item["A"]).startswith("ERR") else by_pylibjpeg(path)
    reference = reference.reshape(-1)[: values.size].reshape(values.shape)
    difference = np.abs(reference.astype(np.int32) - values.astype(np.int32)).max()
    return bool(difference <= (5 if layout.photometric_interpretation == "YBR_FULL_422" else 1))


def by_pylibjpeg(path: Path) -> np.ndarray:
    return pydicom.pixels.pixel_array(path, index=0, raw=True, decoding_plugin="pylibjpeg")


def by_gdcm(path: Path) -> np.ndarray:
    program = (
        "import sys, gdcm\n"
        "reader = gdcm.ImageReader()\n"
        "reader.SetFileName(sys.argv[1])\n"
        "assert reader.Read()\n"
        "sys.stdout.buffer.write(reader.GetImage().GetBuffer().encode('utf-8', 'surrogateescape'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True)
    return np.frombuffer(done.stdout, dtype="<u2")


def test_lossy_frames_are_within_a_step_of_another_decoder(shared_data: Path, manifest: dict[str, Any]) -> None:
    names = [name for name in known_frames(manifest) if syntax_of(shared_data / name) in LOSSY]
    assert len(names) == 7
    far = []
    for name in names:
        source = sources_of(shared_data / name)[0]
        if not within_a_step(shared_data / name, source.layout, load_frame(source).values, manifest[name]):
            far.append(name)
    assert not far


def syntax_of(path: Path) -> str:
    return str(pydicom.dcmread(path, force=True, specific_tags=[]).file_meta.get("TransferSyntaxUID", ""))


@pytest.mark.parametrize(
    "series", ["ct_chest_lidc0314_jpegls", "ct_head_gantry_tilt_ge_jpll", "mr_head_sag_HFDR", "pet_body"]
)
def test_a_series_holds_the_values_of_its_volume_digest(
    series: str, shared_data: Path, manifest: dict[str, Any]
) -> None:
    volume = hashlib.sha256()
    for name in manifest[f"series/{series}"]["order"]:
        volume.update(load_frame(sources_of(shared_data / name)[0]).values.astype("<i4").tobytes())
    assert volume.hexdigest() == manifest[f"series/{series}"]["volume_sha256"]


@pytest.mark.parametrize(
    "name",
    [
        "derived/seg_liver.dcm",
        "derived/tid1500_seg.dcm",
        "enhanced/EnhMR_BRTUM001_15f.dcm",
        "enhanced/EnhMR_BRMULTI_12f_3stacks.dcm",
        "cine/NM_heart_13f.dcm",
        "cine/US_palette_10f_rle.dcm",
        "cine/US_palette_10f_jls_sameUID.dcm",
    ],
)
def test_every_frame_of_a_clip_equals_the_one_pydicom_reads(name: str, shared_data: Path) -> None:
    path = shared_data / name
    frames = [load_frame(source).values for source in sources_of(path)]
    reference = pydicom.pixels.pixel_array(path, raw=True)
    assert np.array_equal(np.stack(frames), reference)


def test_all_frames_of_a_lossy_clip_can_be_had(shared_data: Path) -> None:
    sources = sources_of(shared_data / "cine" / "XA_rubo_96f_jpeg.dcm")
    assert len(sources) == 96
    frames = [load_frame(source).values for source in (sources[1], sources[50], sources[95])]
    assert all(frame.shape == (512, 512) for frame in frames)
    assert not np.array_equal(frames[0], frames[1])


def test_component_transforms_are_undone_and_full_range_colour_is_left_as_stored(shared_data: Path) -> None:
    names = {
        "syntax_nema/US1_J2KR.dcm": "RGB",
        "syntax_nema/US1_J2KI.dcm": "RGB",
        "syntax_nema/US1_RLE.dcm": "RGB",
        "cine/US_34f_ybr422_jpeg.dcm": "YBR_FULL",
        "colour/YBR_FULL_422_uncompressed.dcm": "YBR_FULL",
        "cine/US_palette_10f_rle.dcm": "PALETTE COLOR",
    }
    found = {name: load_frame(sources_of(shared_data / name)[0]).photometric_interpretation for name in names}
    assert found == names


def test_malformed_shared_files_are_refused_or_not_decoded_with_a_reason(shared_data: Path) -> None:
    """Or they are sound enough to be shown. Nothing else ever comes out of them."""
    verdicts = {}
    for path in sorted((shared_data / "malformed").iterdir()):
        try:
            parsed = read_instance(path)
            frames = [load_frame(source) for source in sources_of(path, parsed)]
            verdicts[path.stem] = f"{len(frames)} frames"
        except DicomError as error:
            verdicts[path.stem] = error.code if error.reason else "no reason"
    assert verdicts == {
        "ExplVR_BigEndNoMeta": "0 frames",
        "JPEG2000-embedded-sequence-delimiter": "cannot_decode",
        "MR_truncated": "cut",
        "empty_charset_LEI": "no_identity",
        "emri_j2k_too_short": "cut",
        "meta_missing_tsyntax": "no_identity",
        "nested_priv_SQ": "no_identity",
        "no_meta_group_length": "no_identity",
        "oob_monochrome_46341": "limit",
        "rtplan_truncated": "cut",
    }


def test_a_codestream_that_claims_another_size_is_not_decoded(shared_data: Path) -> None:
    """The decoder would allocate what the codestream claims."""
    for name in ("CTImage_JPEG2000LosslessOnly_4.90", "CTImage_JPEGProcess14SV1_4.70", "CTImage_JPEGLSLossless_4.80"):
        source = sources_of(shared_data / "syntax_ctimage" / f"{name}.dcm")[0]
        layout = source.layout
        other = FrameLayout(**{field: getattr(layout, field) for field in FrameLayout.__slots__} | {"rows": 256})
        with pytest.raises(CannotDecode, match="512 x 512"):
            decode(read_encoded(source), other)


@pytest.mark.parametrize(
    "name",
    [
        "CTImage_JPEG2000LosslessOnly_4.90",
        "CTImage_JPEGProcess14SV1_4.70",
        "CTImage_JPEGProcess2_4_4.51",
        "CTImage_JPEGLSLossless_4.80",
        "CTImage_RLELossless_5",
        "CTImage_DeflatedExplicitVRLittleEndian_1.99",
    ],
)
def test_a_codestream_cut_anywhere_is_an_error_and_never_half_a_picture(name: str, shared_data: Path) -> None:
    source = sources_of(shared_data / "syntax_ctimage" / f"{name}.dcm")[0]
    encoded, layout = read_encoded(source), source.layout
    for length in (0, 1, 2, 20, 100, len(encoded) // 3, len(encoded) // 2, len(encoded) - 300):
        with pytest.raises(CannotDecode):
            decode(encoded[:length], layout)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bent_codestreams_give_a_picture_of_the_right_shape_or_an_error(data: st.DataObject, shared_data: Path) -> None:
    """The server decodes in children all the same."""
    name = data.draw(st.sampled_from(["NM1_RLE", "NM1_JPLL", "NM1_JPLY", "NM1_JLSN"]))
    source = sources_of(shared_data / "syntax_nema" / f"{name}.dcm")[0]
    encoded = bytearray(read_encoded(source))
    for _ in range(data.draw(st.integers(1, 5))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        values = decode(bytes(encoded), source.layout).values
    except CannotDecode:
        return
    assert (values.shape, values.dtype) == (source.layout.shape, source.layout.dtype)


def test_a_decode_child_needs_numpy_and_codecs_only() -> None:
    program = "import sys, viewer.dicom.decode; sys.exit('pydicom' in sys.modules or 'django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3]).returncode == 0


def test_compressed_frames_are_not_read_as_native(shared_data: Path) -> None:
    with pytest.raises(CannotDecode, match="compressed"):
        read_native(sources_of(shared_data / "syntax_nema" / "CT1_RLE.dcm")[0])


def test_only_uncompressed_syntaxes_are_native() -> None:
    native = {uid for uid, decoder in DECODERS.items() if decoder.native}
    assert native == {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}


def test_an_unknown_transfer_syntax_is_an_error() -> None:
    with pytest.raises(CannotDecode, match="not known"):
        decode(b"", FrameLayout("1.2.3", 1, 1, 1, "MONOCHROME2", 8, 8, 7, 0))
