"""Bad and odd scan files: each is read or refused in words, nothing crashes."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from domain.errors import UploadRejected
from domain.limits import Limits
from pipelines.scan_intake import open_scan

LIMITS = Limits()


def _saved(tmp_path: Path, picture: Image.Image, name: str = "scan.png", **options) -> Path:
    path = tmp_path / name
    picture.save(path, **options)
    return path


def _ramp(height: int = 120, width: int = 160) -> np.ndarray:
    return (np.add.outer(np.arange(height), np.arange(width)) % 256).astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "dimensions"),
    [
        (Image.fromarray(_ramp()), 2),
        (Image.fromarray(_ramp().astype(np.uint16) * 200), 2),
        (Image.fromarray(_ramp()).convert("RGB"), 3),
        (Image.fromarray(_ramp()).convert("RGBA"), 3),
        (Image.fromarray(_ramp()).convert("LA"), 3),
        (Image.fromarray(_ramp()).convert("P"), 3),
        (Image.fromarray(_ramp()).convert("1"), 2),
    ],
)
def test_every_kind_of_png_becomes_eight_bits(tmp_path, picture, dimensions):
    scan = open_scan(_saved(tmp_path, picture), LIMITS).picture()
    assert scan.pixels.dtype == np.uint8
    assert scan.pixels.ndim == dimensions
    assert scan.shape == (120, 160)


def test_sixteen_bits_keep_their_order(tmp_path):
    values = (np.linspace(300, 3000, 160)[None] * np.ones((120, 1))).astype(np.uint16)
    pixels = open_scan(_saved(tmp_path, Image.fromarray(values)), LIMITS).picture().pixels
    assert pixels[0, 0] == 0
    assert pixels[0, -1] == 255
    assert (np.diff(pixels[0].astype(int)) >= 0).all()


def test_cmyk_jpeg_is_read(tmp_path):
    path = _saved(tmp_path, Image.fromarray(_ramp()).convert("CMYK"), "scan.jpg")
    assert open_scan(path, LIMITS).picture().pixels.ndim == 3


def test_transparent_places_are_black(tmp_path):
    clear = Image.new("RGBA", (100, 100), (255, 255, 255, 0))
    assert open_scan(_saved(tmp_path, clear), LIMITS).picture().pixels.max() == 0


def test_animation_is_read_as_its_first_frame_and_says_so(tmp_path):
    frames = [Image.fromarray(np.full((64, 64), level, np.uint8)) for level in (10, 200)]
    path = _saved(tmp_path, frames[0], "scan.png", save_all=True, append_images=frames[1:])
    file = open_scan(path, LIMITS)
    assert any("animated" in warning for warning in file.warnings)
    assert file.picture().pixels.mean() == pytest.approx(10)


@pytest.mark.parametrize("size", [(1, 1), (8, 300)])
def test_tiny_pictures_are_refused(tmp_path, size):
    with pytest.raises(UploadRejected, match="too small"):
        open_scan(_saved(tmp_path, Image.new("L", size)), LIMITS).picture()


def test_huge_picture_is_refused_by_its_header(tmp_path):
    small = _saved(tmp_path, Image.new("L", (30, 30)))
    content = bytearray(small.read_bytes())
    content[16:24] = (30_000).to_bytes(4, "big") * 2  # the header now claims 900 million pixels
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    small.write_bytes(content)
    with pytest.raises(UploadRejected, match="million pixels"):
        open_scan(small, LIMITS)


@pytest.mark.parametrize("name", ["scan.png", "scan.jpg"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_files_that_break_off_are_refused(tmp_path, name, share):
    path = _saved(tmp_path, Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)), name)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UploadRejected):
        open_scan(path, LIMITS).picture()


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"GIF89a", b"\x1f\x8b\x08junk", b"hello" * 200])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    with pytest.raises(UploadRejected):
        open_scan(path, LIMITS)


def test_a_missing_number_names_what_there_is(tmp_path):
    with pytest.raises(UploadRejected, match="1 picture"):
        open_scan(_saved(tmp_path, Image.fromarray(_ramp())), LIMITS).picture(2)


def test_notes_beside_the_pixels_are_told_as_present_but_not_shown(tmp_path):
    notes = PngInfo()
    notes.add_text("Comment", "Invented Person")
    written = open_scan(_saved(tmp_path, Image.fromarray(_ramp()), pnginfo=notes), LIMITS)
    exif = Image.Exif()
    exif[0x9286] = "Invented Person"
    taken = open_scan(_saved(tmp_path, Image.fromarray(_ramp()), "scan.jpg", exif=exif), LIMITS)
    plain = open_scan(_saved(tmp_path, Image.fromarray(_ramp()), "plain.png"), LIMITS)
    assert (written.identity, taken.identity, plain.identity) == (("written notes",), ("camera notes",), ())
    assert "Invented" not in " ".join(written.warnings + taken.warnings)


def test_a_nifti_header_that_may_name_somebody_is_told(tmp_path):
    import nibabel

    image = nibabel.Nifti1Image(np.random.default_rng(0).random((30, 30, 3)).astype(np.float32), np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Invented Person"))
    nibabel.save(image, tmp_path / "scan.nii")
    file = open_scan(tmp_path / "scan.nii", LIMITS)
    assert file.identity == ("free text",)
    assert "Invented" not in " ".join(file.warnings)


def _volume(tmp_path: Path, data: np.ndarray, name: str = "scan.nii.gz") -> Path:
    import nibabel

    path = tmp_path / name
    nibabel.save(nibabel.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    return path


def test_nifti_slices_stand_upright(tmp_path):
    data = np.zeros((40, 50, 6), np.float32)
    data[30:, :, 2] = 100  # first axis points left here: high index is the patient's left
    file = open_scan(_volume(tmp_path, data), LIMITS)
    assert (file.kind, file.count) == ("nifti", 6)
    picture = file.picture(3).pixels
    assert picture.shape == (50, 40)
    assert picture[:, -5:].min() >= 254  # the patient's left lies on the viewer's right
    assert picture[:, :5].max() == 0


def test_nifti_of_four_dimensions_reads_the_first_volume(tmp_path):
    data = np.zeros((20, 20, 4, 3), np.float32)
    data[..., 0], data[5:9, 5:9, :, 0] = 1, 9
    file = open_scan(_volume(tmp_path, data), LIMITS)
    assert file.count == 4
    assert any("3 volumes" in warning for warning in file.warnings)


def test_nan_is_shown_dark_and_told_and_nothing_but_nan_is_refused(tmp_path):
    data = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    data[:4] = np.nan
    file = open_scan(_volume(tmp_path, data), LIMITS)
    assert any("NaN" in warning for warning in file.warnings)
    assert file.picture(1).pixels.dtype == np.uint8
    with pytest.raises(UploadRejected, match="NaN"):
        open_scan(_volume(tmp_path, np.full((20, 20, 3), np.nan, np.float32)), LIMITS)


def test_a_single_place_without_a_finite_number_is_counted(tmp_path):
    data = np.random.default_rng(0).random((40, 40, 5)).astype(np.float32)
    data[3, 4, 2], data[5, 5, 1] = np.inf, np.nan
    (told,) = (warning for warning in open_scan(_volume(tmp_path, data), LIMITS).warnings if "NaN" in warning)
    assert told.startswith("2 of 8,000 places hold no finite number")


def test_packed_bomb_is_refused_by_its_unpacked_size(tmp_path, monkeypatch):
    from pipelines import scan_nifti

    monkeypatch.setattr(scan_nifti, "MAX_VOLUME_BYTES", 10_000)
    with pytest.raises(UploadRejected, match="larger"):
        open_scan(_volume(tmp_path, np.zeros((40, 40, 40), np.float32)), LIMITS)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_nifti_that_breaks_off_is_refused(tmp_path, share):
    path = _volume(tmp_path, np.random.default_rng(0).random((30, 30, 5)).astype(np.float32))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UploadRejected):
        open_scan(path, LIMITS)


def _dicom(tmp_path: Path, values: np.ndarray, **tags) -> Path:
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientName = "DX", "Invented^Person"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    if values.ndim == 3:
        dataset.NumberOfFrames = len(values)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = values.astype(np.uint16).tobytes()
    for name, value in tags.items():
        setattr(dataset, name, value)
    path = tmp_path / "scan.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


RAMP16 = np.linspace(0, 4000, 100)[None] * np.ones((90, 1))


def test_dicom_identity_is_told_as_present_but_not_shown(tmp_path):
    file = open_scan(_dicom(tmp_path, RAMP16), LIMITS)
    assert file.modality == "DX"
    assert file.identity == ("name",)
    assert "Invented" not in " ".join(file.warnings)


def test_dicom_window_and_rescale(tmp_path):
    path = _dicom(tmp_path, RAMP16, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="3000", WindowWidth="2000")
    row = open_scan(path, LIMITS).picture().pixels[0]
    assert row[RAMP16[0] < 1450].max() == 0  # 2 * 1450 - 1000 lies below the window's lower end
    assert row[RAMP16[0] > 2550].min() == 255


def test_inverted_grey_is_turned_back(tmp_path):
    plain = open_scan(_dicom(tmp_path, RAMP16), LIMITS).picture().pixels
    turned = open_scan(_dicom(tmp_path, RAMP16, PhotometricInterpretation="MONOCHROME1"), LIMITS).picture().pixels
    assert (plain.astype(int) + turned == 255).all()


def test_a_window_wider_than_the_picture_leaves_it_dark_as_a_viewer_does(tmp_path):
    path = _dicom(tmp_path, RAMP16, WindowCenter="20000", WindowWidth="40000")
    assert open_scan(path, LIMITS).picture().pixels.max() < 30


def test_pixels_that_only_fill_up_are_black_and_do_not_shift_the_range(tmp_path):
    filled = RAMP16.copy()
    filled[:20] = 65000
    pixels = open_scan(_dicom(tmp_path, filled, PixelPaddingValue=65000), LIMITS).picture().pixels
    assert pixels[:20].max() == 0
    assert pixels[50, -1] == 255


def test_the_window_of_a_frame_is_found_in_its_functional_group(tmp_path):
    from pydicom import Dataset

    stack = np.stack([RAMP16, RAMP16])
    frames = []
    for centre in (500, 3000):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = centre, 400
        group.FrameVOILUTSequence = [window]
        frames.append(group)
    file = open_scan(_dicom(tmp_path, stack, PerFrameFunctionalGroupsSequence=frames), LIMITS)
    halves = [float(np.interp(127, file.picture(number).pixels[0], RAMP16[0])) for number in (1, 2)]
    assert halves[0] == pytest.approx(500, abs=60)
    assert halves[1] == pytest.approx(3000, abs=60)


# Direction of the rows and of the columns in the patient; where the bright corner (first row and column) then belongs.
ORIENTATIONS = [
    ([1, 0, 0, 0, 1, 0], (0, 0)),  # axial as usual
    ([-1, 0, 0, 0, 1, 0], (0, -1)),
    ([-1, 0, 0, 0, -1, 0], (-1, -1)),  # face down
    ([0, 1, 0, 1, 0, 0], (0, 0)),  # rows run front to back: turned over its diagonal
    ([0, 1, 0, 0, 0, -1], (0, 0)),  # sagittal as usual
    ([0, 1, 0, 0, 0, 1], (-1, 0)),  # feet on top
    ([1, 0, 0, 0, 0, 1], (-1, 0)),  # coronal, feet on top
]


@pytest.mark.parametrize(("cosines", "corner"), ORIENTATIONS)
def test_a_slice_is_shown_upright(tmp_path, cosines, corner):
    values = np.zeros((90, 100))
    values[:8, :8] = 1000
    path = _dicom(tmp_path, values, Modality="MR", ImageOrientationPatient=cosines)
    pixels = open_scan(path, LIMITS).picture().pixels
    assert pixels.shape == ((100, 90) if cosines[:2] == [0, 1] and cosines[3] else (90, 100))
    assert pixels[corner] == 255
    assert (pixels > 0).sum() == 64
    radiograph = open_scan(_dicom(tmp_path, values, Modality="DX", ImageOrientationPatient=cosines), LIMITS)
    assert radiograph.picture().pixels[0, 0] == 255  # its marks are part of the picture


def test_frames_of_a_dicom_file_are_counted(tmp_path):
    stack = np.stack([RAMP16 * 0 + np.eye(90, 100) * k for k in (100, 200, 300)])
    file = open_scan(_dicom(tmp_path, stack), LIMITS)
    assert (file.count, file.middle) == (3, 2)
    assert file.picture(3).number == 3


def test_dicom_without_a_picture_is_refused(tmp_path):
    import pydicom

    path = _dicom(tmp_path, RAMP16)
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.Modality = "SR"
    dataset.save_as(path)
    with pytest.raises(UploadRejected, match="structured report"):
        open_scan(path, LIMITS)


def test_dicom_that_breaks_off_is_refused(tmp_path):
    path = _dicom(tmp_path, RAMP16)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(UploadRejected):
        open_scan(path, LIMITS).picture()


def _packaged(package) -> list[Path]:
    """Every file that a library brings along for its own tests."""
    return sorted(p for p in Path(package.__file__).parent.rglob("*") if p.is_file() and not p.suffix.startswith(".py"))


def test_every_packaged_dicom_file_reads_or_is_refused_in_words():
    import pydicom
    import pydicom.data

    read: set[str] = set()
    for path in _packaged(pydicom.data):
        try:
            picture = open_scan(path, LIMITS).picture()
        except UploadRejected:
            continue
        assert picture.pixels.dtype == np.uint8
        if picture.kind == "dicom":
            meta = pydicom.dcmread(path, force=True, stop_before_pixels=True).file_meta
            read.add(str(meta.get("TransferSyntaxUID", "")))
    assert {uid.rpartition(".1.2.")[2] for uid in read} >= COMPRESSED


# Run lengths, JPEG baseline, extended and lossless, JPEG-LS, JPEG 2000 (last parts of the transfer syntaxes' UIDs).
COMPRESSED = {"5", "4.50", "4.51", "4.70", "4.80", "4.81", "4.90", "4.91"}


def test_every_packaged_nifti_file_reads_or_is_refused_in_words():
    import nibabel

    read = 0
    for path in _packaged(nibabel):
        if "data" not in path.parts:
            continue
        with contextlib.suppress(UploadRejected):
            read += open_scan(path, LIMITS).picture().kind == "nifti"
    assert read


def test_the_index_of_a_disc_is_named_so():
    import pydicom.data

    with pytest.raises(UploadRejected, match="index of a DICOM disc"):
        open_scan(Path(pydicom.data.get_testdata_file("DICOMDIR")), LIMITS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 400), value=st.integers(0, 255), packed=st.booleans())
def test_one_wrong_byte_never_crashes(tmp_path, position, value, packed):
    import nibabel

    image = nibabel.Nifti1Image(np.arange(32 * 32 * 2, dtype=np.int16).reshape(32, 32, 2), np.eye(4))
    content = bytearray(image.to_bytes())
    content[position] = value
    path = tmp_path / "scan.nii"
    stream = io.BytesIO()
    if packed:
        with gzip.GzipFile(fileobj=stream, mode="wb") as target:
            target.write(bytes(content))
        content = stream.getvalue()
    path.write_bytes(bytes(content))
    with contextlib.suppress(UploadRejected):
        assert open_scan(path, LIMITS).picture().pixels.dtype == np.uint8
