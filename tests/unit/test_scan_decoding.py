"""Compressed DICOM: pixels as another viewer shows them; damaged frames and headers are refused, and nothing crashes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from pydicom.encaps import encapsulate, generate_frames

from domain.errors import UploadRejected
from domain.limits import Limits
from pipelines.scan_decoding import stored_pixels
from pipelines.scan_intake import open_scan

LIMITS = Limits()
PHYSICIAN, ROWS = b"\x08\x00\x90\x00", b"\x28\x00\x10\x00"


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_twelve_bit_jpeg_holds_the_values_that_another_viewer_shows(name):
    """The two places were read off in OsiriX by the authors of pydicom."""
    path = Path(pydicom.data.get_testdata_file(name))
    assert open_scan(path, LIMITS).picture().pixels.shape == (1024, 256)
    stored = stored_pixels(pydicom.dcmread(path), 0)
    assert (stored[420, 140], stored[230, 120]) == (244, 95)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_twelve_bit_jpeg_that_breaks_off_inside_is_refused(tmp_path, share):
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file("JPGExtended.dcm"))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: int(share * len(frame))]])
    dataset.save_as(tmp_path / "cut.dcm")
    with pytest.raises(UploadRejected, match="cannot be decoded"):
        open_scan(tmp_path / "cut.dcm", LIMITS).picture()


def test_a_picture_over_which_the_decoder_itself_ends_is_refused_and_the_next_is_read(tmp_path):
    """A precision of 26 bits in the frame's own header: GDCM ends the process that it runs in."""
    good = Path(pydicom.data.get_testdata_file("JPEG-lossy.dcm"))
    content = bytearray(good.read_bytes())
    at = content.index(b"\xff\xc1", content.rindex(b"\xe0\x7f\x10\x00"))  # the marker of an extended JPEG's frame
    content[at + 4] = 26
    (tmp_path / "hostile.dcm").write_bytes(bytes(content))
    with pytest.raises(UploadRejected, match="cannot be decoded"):
        open_scan(tmp_path / "hostile.dcm", LIMITS).picture()
    assert open_scan(good, LIMITS).picture().pixels.shape == (1024, 256)


@pytest.mark.parametrize(("tag", "refused"), [(PHYSICIAN, ""), (ROWS, "how large the picture is")])
def test_a_field_of_a_kind_that_does_not_exist_is_left_out_and_missed_where_it_is_needed(tmp_path, tag, refused):
    content = bytearray(Path(pydicom.data.get_testdata_file("JPEG-lossy.dcm")).read_bytes())
    at = content.index(tag) + len(tag)
    content[at : at + 2] = b"\x50\x88"
    (tmp_path / "odd.dcm").write_bytes(bytes(content))
    if refused:
        with pytest.raises(UploadRejected, match=refused):
            open_scan(tmp_path / "odd.dcm", LIMITS)
    else:
        scan = open_scan(tmp_path / "odd.dcm", LIMITS)
        assert scan.picture().pixels.shape == (1024, 256)
        assert "Fields of the header that hold no value of their kind: 1. They were left out." in scan.warnings


def _with_inserted(name: str, before: bytes, inserted: bytes, tmp_path: Path) -> Path:
    content = Path(pydicom.data.get_testdata_file(name)).read_bytes()
    at = content.index(before)
    path = tmp_path / "odd.dcm"
    path.write_bytes(content[:at] + inserted + content[at:])
    return path


def test_a_transfer_syntax_of_a_kind_that_does_not_exist_is_left_out(tmp_path):
    content = bytearray(Path(pydicom.data.get_testdata_file("CT_small.dcm")).read_bytes())
    at = content.index(b"\x02\x00\x02\x00UI") + 4  # the class of the object, in the group before the header
    content[at : at + 2] = b"\x55\x38"
    (tmp_path / "odd.dcm").write_bytes(bytes(content))
    assert open_scan(tmp_path / "odd.dcm", LIMITS).picture().pixels.shape == (128, 128)


def test_sequences_within_sequences_without_end_are_refused(tmp_path):
    opened = b"\x09\x00\x01\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" * 3000
    path = _with_inserted("CT_small.dcm", b"\x10\x00\x10\x00PN", opened + closed, tmp_path)
    with pytest.raises(UploadRejected, match="damaged"):
        open_scan(path, LIMITS)


def _deflated(body: Iterable[bytes], tmp_path: Path) -> Path:
    """A file whose header after the first group, and its pixels, are `body`, compressed as a whole."""
    content = Path(pydicom.data.get_testdata_file("image_dfl.dcm")).read_bytes()
    start = (
        144 + pydicom.dcmread(pydicom.data.get_testdata_file("image_dfl.dcm")).file_meta.FileMetaInformationGroupLength
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    path = tmp_path / "deflated.dcm"
    path.write_bytes(content[:start] + b"".join([*map(packer.compress, body), packer.flush()]))
    return path


def test_a_file_compressed_as_a_whole_is_read_but_not_a_bomb_or_a_damaged_one(tmp_path):
    good = Path(pydicom.data.get_testdata_file("image_dfl.dcm"))
    assert open_scan(good, LIMITS).picture().pixels.shape == (512, 512)
    head = b"\x09\x00\x01\x10UN\0\0" + (600 << 20).to_bytes(4, "little")
    bomb = _deflated([head, *[bytes(1 << 20)] * 600], tmp_path)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(UploadRejected, match="unpacks to more than"):
        open_scan(bomb, LIMITS)
    damaged = bytearray(good.read_bytes())
    damaged[400:500] = b"\xff" * 100
    (tmp_path / "damaged.dcm").write_bytes(bytes(damaged))
    with pytest.raises(UploadRejected, match="damaged"):
        open_scan(tmp_path / "damaged.dcm", LIMITS)
