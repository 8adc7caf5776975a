"""A copy without identity keeps the picture and nothing that points at a person."""

from __future__ import annotations

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
    assert "subset" in after.DeidentificationMethod.lower()
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
    with pytest.raises(UploadRejected):
        without_identity(pydicom.data.get_testdata_file("rtplan.dcm"), tmp_path / "out.dcm", Limits(), SECRET)


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
