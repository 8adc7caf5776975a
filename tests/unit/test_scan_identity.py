"""A copy without identity keeps the picture and nothing that points at a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest

from domain.document import TextLine, TextWord
from domain.errors import UploadRejected
from domain.limits import Limits
from pipelines.scan_identity import without_identity
from pipelines.scan_intake import open_scan

SECRET = b"only for this test"


@pytest.fixture
def marked(tmp_path):
    """pydicom's CT slice with every kind of identity added."""
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Invented^Person", "MRN-777", "19700101"
    dataset.PatientComments = "Invented Person lives here"
    dataset.InstitutionName = "Invented Hospital"
    dataset.private_block(0x0011, "INVENTED", create=True).add_new(1, "LO", "Invented Person again")
    item = pydicom.Dataset()
    item.PatientName = "Invented^Person"
    dataset.ReferencedStudySequence = [item]
    path = tmp_path / "in.dcm"
    dataset.save_as(path)
    return path


def test_nothing_of_the_person_is_left_and_the_picture_is_the_same(marked, tmp_path):
    target = tmp_path / "out.dcm"
    assert without_identity(marked, target, Limits(), SECRET) == 0
    content = target.read_bytes()
    for word in (b"Invented", b"MRN-777", b"19700101"):
        assert word not in content
    before, after = pydicom.dcmread(marked), pydicom.dcmread(target)
    assert after.PatientIdentityRemoved == "YES"
    assert "Basic Profile" in after.DeidentificationMethod
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == ["113100"]  # PS3.16 CID 7050
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert (open_scan(target, Limits()).picture().pixels == open_scan(marked, Limits()).picture().pixels).all()
    assert open_scan(target, Limits()).identity == ()


def test_pictures_of_one_study_stay_together(marked, tmp_path):
    first, second, other = tmp_path / "a.dcm", tmp_path / "b.dcm", tmp_path / "c.dcm"
    without_identity(marked, first, Limits(), SECRET)
    without_identity(marked, second, Limits(), SECRET)
    without_identity(marked, other, Limits(), b"another secret")
    studies = [pydicom.dcmread(path).StudyInstanceUID for path in (first, second, other)]
    assert studies[0] == studies[1] != studies[2]


def test_no_date_overlay_curve_private_field_or_name_at_any_depth_is_left(marked, tmp_path):
    dataset = pydicom.dcmread(marked)
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        setattr(dataset, name, "20011224")
    dataset.AcquisitionDateTime = "20011224101010"
    dataset.add_new(0x60003000, "OW", b"Invented")  # overlay
    dataset.add_new(0x50003000, "OW", b"Invented")  # curve
    dataset.ImageType = ["ORIGINAL", "Invented^Person"]  # a name where a code belongs
    item = pydicom.Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.LUTExplanation = 1, -1024, "Invented table"
    item.private_block(0x0011, "INVENTED", create=True).add_new(1, "LO", "Invented at depth")
    group = pydicom.Dataset()
    group.PixelValueTransformationSequence = [item]
    dataset.SharedFunctionalGroupsSequence = [group]
    dataset.file_meta.SourceApplicationEntityTitle = "INVENTED_AE"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    dataset.file_meta.PrivateInformation = b"Invented"
    dataset.save_as(marked)
    target = tmp_path / "out.dcm"
    without_identity(marked, target, Limits(), SECRET)
    content = target.read_bytes()
    for word in (b"Invented", b"INVENTED", b"20011224", b"MRN-777"):
        assert word not in content
    after = pydicom.dcmread(target)
    assert not [element for element in after.iterall() if element.tag.is_private]
    assert after.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleIntercept == -1024
    for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "AccessionNumber"):
        assert after[name].value in ("", None)  # type 2: there, and empty


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm"])
def test_notes_inside_compressed_pixels_go_and_the_picture_stays(tmp_path, name):
    from pydicom.encaps import encapsulate, generate_frames

    dataset = pydicom.dcmread(pydicom.data.get_testdata_file(name, download=False))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    note = b"Invented^Person"
    marker = b"\xff\xfe" if stream[1] == 0xD8 else b"\xff\x64"
    length = len(note) + 2 + (2 if stream[1] == 0x4F else 0)
    segment = marker + length.to_bytes(2, "big") + (b"\0\1" if stream[1] == 0x4F else b"") + note
    # JPEG 2000 wants its SIZ segment first.
    after = 2 if stream[1] == 0xD8 else 4 + int.from_bytes(stream[4:6], "big")
    dataset.PixelData = encapsulate([stream[:after] + segment + stream[after:]])
    dataset.save_as(tmp_path / "in.dcm")
    assert note in (tmp_path / "in.dcm").read_bytes()
    without_identity(tmp_path / "in.dcm", tmp_path / "out.dcm", Limits(), SECRET)
    assert note not in (tmp_path / "out.dcm").read_bytes()
    before, left = (open_scan(tmp_path / one, Limits()).picture().pixels for one in ("in.dcm", "out.dcm"))
    assert (before == left).all()


@pytest.mark.parametrize("signed", [0, 1])
def test_bits_beside_the_pixels_are_cleared(marked, tmp_path, signed):
    dataset = pydicom.dcmread(marked)
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, signed
    values = np.random.default_rng(3).integers(0, 2**12, (128, 128)).astype(np.uint16)
    hidden = np.random.default_rng(4).integers(0, 2**4, (128, 128)).astype(np.uint16) << 12
    dataset.PixelData = (values | hidden).tobytes()
    dataset.save_as(marked)
    without_identity(marked, tmp_path / "out.dcm", Limits(), SECRET)
    left = np.frombuffer(pydicom.dcmread(tmp_path / "out.dcm").PixelData, np.uint16)
    assert (left & 0xFFF == values.ravel()).all()
    spare = left >> 12
    assert (spare == (np.where(left & 0x800, 0xF, 0) if signed else 0)).all()


def test_every_packaged_picture_leaves_a_copy_that_reads_and_names_nobody(tmp_path):
    folder = pydicom.data.get_testdata_file("CT_small.dcm").rpartition("/")[0]
    made = 0
    for path in sorted(Path(folder).glob("*.dcm")):
        try:
            file = open_scan(path, Limits())
            picture = file.picture(1)
            without_identity(path, tmp_path / "out.dcm", Limits(), SECRET)
        except UploadRejected:
            continue
        copy = open_scan(tmp_path / "out.dcm", Limits())
        assert (copy.count, copy.identity) == (file.count, ())
        assert (copy.picture(1).pixels == picture.pixels).all(), path.name
        made += 1
    assert made > 40


def test_burned_in_text_is_blacked_out_and_the_rest_is_untouched(marked, tmp_path):
    class FindsOneWord:
        def read(self, pixels):
            quad = ((30.0, 40.0), (70.0, 40.0), (70.0, 50.0), (30.0, 50.0))
            return (TextLine((TextWord("INVENTED", 0.9, quad),)),)

    target = tmp_path / "out.dcm"
    assert without_identity(marked, target, Limits(), SECRET, FindsOneWord()) == 1
    before, after = pydicom.dcmread(marked).pixel_array, pydicom.dcmread(target).pixel_array
    assert (after[40:50, 30:70] == before.min()).all()
    assert (after[60:] == before[60:]).all()
    assert np.shares_memory(before, after) is False


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(UploadRejected, match="no picture"):
        without_identity(Path(pydicom.data.get_testdata_file("rtplan.dcm")), tmp_path / "out.dcm", Limits(), SECRET)
    (tmp_path / "notes.txt").write_text("no DICOM at all")
    with pytest.raises(UploadRejected, match="no DICOM file"):
        without_identity(tmp_path / "notes.txt", tmp_path / "out.dcm", Limits(), SECRET)


@pytest.mark.models
def test_the_real_engine_finds_text_that_was_burned_in(tmp_path):
    """An ultrasound frame as machines store it: name and date in the picture's corner, the body below."""
    from PIL import Image, ImageDraw, ImageFont

    from domain.models import ModelCard
    from models import cards
    from models.shelf import ModelShelf

    shelf = ModelShelf(cards.CARDS, 4096)
    body = np.random.default_rng(4).normal(90, 12, (360, 480)).clip(0, 255)
    frame = Image.fromarray(body.astype(np.uint8))
    pen = ImageDraw.Draw(frame)
    pen.rectangle((0, 0, 480, 70), fill=0)
    pen.text((12, 8), "INVENTED PERSON", fill=255, font=ImageFont.load_default(size=22))
    pen.text((12, 38), "MRN 77712  1970-01-01", fill=255, font=ImageFont.load_default(size=22))
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    for name in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue"):
        if name in dataset:
            delattr(dataset, name)
    dataset.Rows, dataset.Columns, dataset.Modality, dataset.PixelRepresentation = 360, 480, "US", 0
    dataset.PixelData = np.asarray(frame).astype(np.uint16).tobytes()
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    dataset.save_as(source)
    card: ModelCard = shelf.chosen("ocr")
    with shelf.borrow(card.id) as ocr:
        assert without_identity(source, target, Limits(), SECRET, ocr) >= 2
        left = open_scan(target, Limits()).picture().pixels
        assert not [line for line in ocr.read(np.repeat(left[..., None], 3, axis=2)) if line.words]
    after = pydicom.dcmread(target).pixel_array
    assert after[:70].max() < 40  # nothing bright is left of the writing
    assert (after[80:] == np.asarray(frame)[80:]).all()
    assert pydicom.dcmread(target).BurnedInAnnotation == "NO"
