"""A DICOM copy without identity: header fields removed or replaced, burned-in text blacked out.

Follows the Basic Application Level Confidentiality Profile of DICOM PS3.15 annex E from its safe side: the profile
names what must go, here a list names what may stay (what the picture cannot be shown or understood without), at every
depth, so that a field nobody thought of goes too: dates, curves, overlays, icons, private fields. UIDs are replaced the
same way in every copy, so that a study stays together. Pixels change only where text was found.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from domain.limits import Limits
from models.contracts import OcrEngine
from pipelines.progress import Progress, silent
from pipelines.scan_decoding import stored_pixels
from pipelines.scan_dicom import drop_unreadable, looks_like_dicom, open_dicom, read_header
from pipelines.scan_display import complete_meta, decode_frame
from pipelines.scan_notes import drop_notes

METHOD = "PS3.15 Basic Profile: only what shows the picture is kept"
METHOD_PIXELS = "Burned-in text found by OCR blacked out"  # each at most 64 characters (LO)
CODES = (("113100", "Basic Application Confidentiality Profile"), ("113101", "Clean Pixel Data Option"))  # PS3.16
HEAD_BYTES = 512
MAX_PIXEL_BYTES = 1_000_000_000  # unpacked, to be rewritten; the copy is made in memory
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
    "FrameOfReferenceUID", "PixelPaddingRangeLimit", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "PixelMeasuresSequence", "PlanePositionSequence", "PlaneOrientationSequence",
    "FrameVOILUTSequence", "PixelValueTransformationSequence", "LUTDescriptor", "LUTData", "ModalityLUTType",
)  # fmt: skip
CODED = re.compile(r"[A-Z0-9_ ]{0,16}")  # CS of PS3.5; a name written into a coded field does not stay
NEW_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def without_identity(
    source: Path,
    target: Path,
    limits: Limits,
    secret: bytes,
    ocr: OcrEngine | None = None,
    progress: Progress = silent,
) -> int:
    """Write a copy of a DICOM file without identity; returns how many places of text were blacked out.

    `secret`: makes the new UIDs, so that pictures of one study stay together and nobody without it can trace them back.
    With `ocr`, burned-in text is looked for on every frame; without, text in the picture stays, and the caller must say
    so. Raises UploadRejected where the file is not DICOM or its picture cannot be decoded.
    """
    with source.open("rb") as content:
        if not looks_like_dicom(content.read(HEAD_BYTES)):
            raise UploadRejected(
                "This is no DICOM file, so no copy was made. A PNG of the picture carries no header: save that instead."
            )
    frames, *_ = open_dicom(source, limits)
    dataset = read_header(source)
    drop_unreadable(dataset)  # what cannot be read cannot be looked through for a name
    complete_meta(dataset)
    _keep_listed(dataset)
    for name in EMPTIED:
        setattr(dataset, name, "")
    for name in NEW_UIDS:
        if name in dataset:
            setattr(dataset, name, _other_uid(str(dataset[name].value), secret))
    dataset.file_meta = _bare_meta(dataset)
    _clear_unused_bits(dataset)
    places = _black_out(dataset, frames, ocr, progress) if ocr is not None else 0
    if not places:
        drop_notes(dataset, frames)
    _say_so(dataset, pixels=ocr is not None)
    dataset.preamble = b"\0" * 128  # 128 bytes that anything may hide in
    try:
        dataset.save_as(target, enforce_file_format=True)
    except (ValueError, TypeError, AttributeError, NotImplementedError, OSError) as error:
        raise UploadRejected(
            "The DICOM header is too incomplete for a copy without identity. Export the picture as PNG instead."
        ) from error
    return places


def _keep_listed(dataset: Any) -> None:
    """Removes every field that may not stay, at every depth."""
    for element in list(dataset):
        if element.keyword not in KEPT or (element.VR in ("CS", "LO") and not _is_coded(element.value)):
            del dataset[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                _keep_listed(item)


def _is_coded(value: Any) -> bool:
    values = [value] if value is None or isinstance(value, str) else list(value)
    return all(CODED.fullmatch(str(one or "")) for one in values)


def _bare_meta(dataset: Any) -> Any:
    """File meta information that names the kind of picture and its encoding, and neither machines nor private notes."""
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    for name, kept in (("SOPClassUID", "MediaStorageSOPClassUID"), ("SOPInstanceUID", "MediaStorageSOPInstanceUID")):
        if name in dataset:
            setattr(meta, kept, dataset[name].value)
    return meta


def _say_so(dataset: Any, pixels: bool) -> None:
    """What was done, as the profile demands it."""
    from pydicom import Dataset

    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = [METHOD, METHOD_PIXELS] if pixels else METHOD
    items = []
    for value, meaning in CODES if pixels else CODES[:1]:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        items.append(item)
    dataset.DeidentificationMethodCodeSequence = items
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    if pixels:
        dataset.BurnedInAnnotation = "NO"


def _clear_unused_bits(dataset: Any) -> None:
    """Older machines keep overlays, names among them, in the bits that the pixels do not use (PS3.5 8.1.1)."""
    allocated, used = int(dataset.get("BitsAllocated", 0) or 0), int(dataset.get("BitsStored", 0) or 0)
    spare = allocated - used
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_encapsulated or allocated not in (8, 16):
        return
    if spare <= 0 or int(dataset.get("HighBit", used - 1)) != used - 1 or len(dataset.PixelData) % (allocated // 8):
        return
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    kind = "i" if int(dataset.get("PixelRepresentation", 0) or 0) else "u"
    values = np.frombuffer(dataset.PixelData, f"{order}{kind}{allocated // 8}")
    dataset.PixelData = ((values << spare) >> spare).astype(values.dtype).tobytes()  # the sign of signed values stays


def _black_out(dataset: Any, frames: int, ocr: OcrEngine, progress: Progress) -> int:
    """Overwrite each found line with the darkest value; the picture is stored uncompressed when anything was found."""
    boxes: list[list[tuple[int, int, int, int]]] = []
    for index in range(frames):
        progress(index, frames, "pictures", f"Looking for text in picture {index + 1}")
        shown = decode_frame(dataset, index)
        rgb = shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)
        boxes.append([_around(line.words, shown.shape) for line in ocr.read(np.ascontiguousarray(rgb)) if line.words])
    count = sum(map(len, boxes))
    if count:
        _overwrite(dataset, frames, boxes)
    return count


def _overwrite(dataset: Any, frames: int, boxes: list[list[tuple[int, int, int, int]]]) -> None:
    samples = int(dataset.get("SamplesPerPixel", 1))
    if frames * int(dataset.Rows) * int(dataset.Columns) * samples * 2 > MAX_PIXEL_BYTES:
        raise UploadRejected(
            "Text was found in the pictures, but there are too many of them to be rewritten at once, so no copy was "
            "made. Export the frames in question as a file of their own."
        )
    try:
        stored = np.array(stored_pixels(dataset))
        whole = stored if frames > 1 else stored[None]
        dark = whole.max() if str(dataset.PhotometricInterpretation) == "MONOCHROME1" else whole.min()
        for index, places in enumerate(boxes):
            for left, top, right, bottom in places:
                whole[index, top:bottom, left:right] = dark
        dataset.set_pixel_data(
            whole if frames > 1 else whole[0],
            "RGB" if samples > 1 else str(dataset.PhotometricInterpretation),
            int(dataset.BitsStored),
            generate_instance_uid=False,
        )
    except Exception as error:
        raise UploadRejected(
            "Text was found in the picture, but its pixels cannot be rewritten. Export it uncompressed first."
        ) from error


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
