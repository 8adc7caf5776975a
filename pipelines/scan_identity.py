"""A DICOM copy without identity: header fields removed or replaced, burned-in text blacked out.

Follows the Basic Application Level Confidentiality Profile of DICOM PS3.15 annex E for the fields it names, and removes
all private fields; it is a subset of the profile (it does not clean structured content or descriptors field by field,
it removes them), and the copy says so. Pixels change only where text was found.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from domain.limits import Limits
from models.contracts import OcrEngine
from pipelines.scan_dicom import open_dicom, read_header

METHOD = "Subset of PS3.15 Basic Profile; burned-in text found by OCR blacked out"
# Emptied rather than removed: the standard demands that these exist (type 2).
EMPTIED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID",
)  # fmt: skip
# Kept, because the picture cannot be shown or understood without them.
KEPT = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality", "SeriesNumber", "InstanceNumber",
    "PatientOrientation", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness", "SliceLocation",
    "PixelSpacing", "ImagerPixelSpacing", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "NumberOfFrames", "FrameIncrementPointer", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "WindowCenter",
    "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType", "VOILUTFunction", "VOILUTSequence",
    "ModalityLUTSequence", "PixelData", "FloatPixelData", "DoubleFloatPixelData", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod", "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
)  # fmt: skip
NEW_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def without_identity(source: Path, target: Path, limits: Limits, secret: bytes, ocr: OcrEngine | None = None) -> int:
    """Write a copy of a DICOM file without identity; returns how many places of text were blacked out.

    `secret`: makes the new UIDs, so that pictures of one study stay together and nobody without it can trace them back.
    With `ocr`, burned-in text is looked for on every frame; without, text in the picture stays, and the caller must say
    so. Raises UploadRejected where the file is not DICOM or its picture cannot be decoded.
    """
    frames, *_ = open_dicom(source, limits)
    dataset = read_header(source)
    for element in list(dataset):
        # A list of what may stay is safer than one of what must go: a field that nobody thought of goes.
        if element.keyword not in KEPT:
            del dataset[element.tag]
    for name in EMPTIED:
        setattr(dataset, name, "")
    for name in NEW_UIDS:
        if name in dataset:
            setattr(dataset, name, _other_uid(str(dataset[name].value), secret))
    if getattr(dataset, "file_meta", None) is not None and "SOPInstanceUID" in dataset:
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        for name in (
            "SourceApplicationEntityTitle",
            "SendingApplicationEntityTitle",
            "ReceivingApplicationEntityTitle",
        ):
            if name in dataset.file_meta:
                delattr(dataset.file_meta, name)
    places = _black_out(dataset, frames, ocr) if ocr is not None else 0
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    if ocr is not None:
        dataset.BurnedInAnnotation = "NO"
    dataset.preamble = b"\0" * 128  # 128 bytes that anything may hide in
    try:
        dataset.save_as(target, enforce_file_format=True)
    except (ValueError, TypeError, AttributeError, NotImplementedError, OSError) as error:
        raise UploadRejected(
            "The DICOM header is too incomplete for a copy without identity. Export the picture as PNG instead."
        ) from error
    return places


def _black_out(dataset: Any, frames: int, ocr: OcrEngine) -> int:
    """Overwrite each found line with the darkest value; the picture is stored uncompressed when anything was found."""
    from pydicom.pixels import pixel_array

    from pipelines.scan_dicom import decode_frame

    boxes: list[list[tuple[int, int, int, int]]] = []
    for index in range(frames):
        shown = decode_frame(dataset, index)
        rgb = shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)
        boxes.append([_around(line.words, shown.shape) for line in ocr.read(np.ascontiguousarray(rgb)) if line.words])
    count = sum(map(len, boxes))
    if not count:
        return 0
    try:
        stored = np.array(pixel_array(dataset, raw=False))
    except Exception as error:
        raise UploadRejected(
            "Text was found in the picture, but its pixels cannot be rewritten. Export it uncompressed first."
        ) from error
    whole = stored if frames > 1 else stored[None]
    dark = whole.max() if str(dataset.PhotometricInterpretation) == "MONOCHROME1" else whole.min()
    for index, places in enumerate(boxes):
        for left, top, right, bottom in places:
            whole[index, top:bottom, left:right] = dark
    dataset.set_pixel_data(
        whole if frames > 1 else whole[0],
        "RGB" if int(dataset.SamplesPerPixel) > 1 else str(dataset.PhotometricInterpretation),
        int(dataset.BitsStored),
        generate_instance_uid=False,
    )
    return count


def _around(words: Any, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Box round all corners of a line's words, a little larger, inside the picture."""
    boxes = [word.box for word in words]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    pad = 2 + int(0.15 * (bottom - top))
    return (
        max(0, int(left) - pad),
        max(0, int(top) - pad),
        min(shape[1], int(right) + pad + 1),
        min(shape[0], int(bottom) + pad + 1),
    )


def _other_uid(uid: str, secret: bytes) -> str:
    """A UID of the 2.25 branch (PS3.5 B.2) that the old one and the secret give, and nothing else."""
    number = int.from_bytes(hashlib.blake2b(uid.encode(), key=secret[:64], digest_size=16).digest(), "big")
    return f"2.25.{number}"
