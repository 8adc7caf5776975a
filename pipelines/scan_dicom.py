"""DICOM files: what is refused by the header alone, how many pictures there are, and which identity they carry."""

from __future__ import annotations

import logging
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from domain.limits import Limits
from pipelines.scan_display import decode_frame, upright

DICOMDIR = "1.2.840.10008.1.3.10"
META_GROUP, TRANSFER_SYNTAX, DEFLATED = 0x0002, 0x00020010, b"1.2.840.10008.1.2.1.99"
MOST_UNPACKED_BYTES = 500_000_000  # of a file that is compressed as a whole
UNPACKED_AT_ONCE = 1 << 20
# Header fields that point at a person, under the words by which they are reported as present.
IDENTITY = {
    "name": ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson"),
    "patient number": ("PatientID",),
    "birth date": ("PatientBirthDate", "PatientBirthTime"),
    "age": ("PatientAge",),
    "other numbers": ("OtherPatientIDs", "OtherPatientIDsSequence", "AdmissionID", "MedicalRecordLocator"),
    "address": ("PatientAddress", "PatientTelephoneNumbers", "CountryOfResidence", "RegionOfResidence"),
    "study date": (
        "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime", "InstanceCreationDate",
    ),
    "accession number": ("AccessionNumber",),
    "institution": ("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName"),
    "physician": (
        "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy",
        "RequestingPhysician", "PhysiciansOfRecord",
    ),
    "comments": ("PatientComments", "AdditionalPatientHistory", "ImageComments", "StudyComments"),
}  # fmt: skip


def looks_like_dicom(head: bytes) -> bool:
    """By the marker after the preamble, or, for files without one, by a first element of groups 0002 or 0008."""
    if head[128:132] == b"DICM":
        return True
    little, big = head[:2] in (b"\x08\x00", b"\x02\x00"), head[:2] in (b"\x00\x08", b"\x00\x02")
    return (
        len(head) > 16
        and (little or big)
        and (head[4:6].isalpha() or head[6:8] == b"\x00\x00")
        and head[2:4] != b"\xff\xff"
    )


def open_dicom(path: Path, limits: Limits):
    """(pictures, modality, identity fields present, warnings, decode). Raises UploadRejected."""
    dataset = read_header(path)
    broken = drop_unreadable(dataset)
    if (
        str(dataset.get("file_meta", {}).get("MediaStorageSOPClassUID", "")) == DICOMDIR
        or "DirectoryRecordSequence" in dataset
    ):
        raise UploadRejected(
            "This is the index of a DICOM disc (DICOMDIR), not a picture. Upload one of the images it lists."
        )
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = "structured report" if str(dataset.get("Modality", "")) == "SR" else "DICOM object"
        raise UploadRejected(f"This {kind} holds no picture. Upload an image of the study.")
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        frames = max(1, int(dataset.get("NumberOfFrames", 1) or 1))
    except (AttributeError, TypeError, ValueError) as error:
        raise UploadRejected("The DICOM header does not say how large the picture is. Export it again.") from error
    if rows * columns > limits.max_pixels or frames > 100_000:
        raise UploadRejected(
            f"The DICOM picture has {columns:,} x {rows:,} pixels, more than can be taken. Export a smaller part of it."
        )
    identity = identity_in(dataset)
    told = []
    if identity:
        told.append(
            f"The file carries identity ({', '.join(identity)}); it is neither shown nor kept with the reading. "
            "To pass the file on, save it without identity first."
        )
    if broken:
        told.append(f"Fields of the header that hold no value of their kind: {broken}. They were left out.")
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        told.append("The file says that text is burned into the picture.")
    if str(dataset.get("LossyImageCompression", "")) == "01":
        told.append("The picture was compressed with loss before it came here.")
    modality = str(dataset.get("Modality", "") or "").strip().upper() or None
    decode: Callable[[int], np.ndarray] = lambda number: upright(  # noqa: E731
        decode_frame(dataset, number - 1), dataset, number - 1
    )
    return frames, modality, identity, tuple(told), decode


def identity_in(dataset: Any) -> tuple[str, ...]:
    """Which kinds of identity a header carries; their content stays where it is."""
    kinds = [kind for kind, names in IDENTITY.items() if any(_filled(dataset, name) for name in names)]
    return (*kinds, "private fields") if any(element.tag.is_private for element in dataset) else tuple(kinds)


def _filled(dataset: Any, name: str) -> bool:
    value = dataset.get(name)
    return bool(str(value).strip()) if value else False


def read_header(path: Path) -> Any:
    """The dataset, pixels not yet decoded. Raises UploadRejected."""
    import pydicom

    _keep_quiet()
    try:
        if _unpacks_too_far(path):
            raise UploadRejected(
                "The DICOM file is compressed as a whole and unpacks to more than "
                f"{MOST_UNPACKED_BYTES // 1_000_000} MB, so it was not read. Export it uncompressed "
                "(Explicit VR Little Endian)."
            )
        return pydicom.dcmread(path, force=True)
    except _faults() as error:
        raise UploadRejected(
            "The DICOM file is damaged or breaks off, so it cannot be read. Export it again."
        ) from error


def _faults() -> tuple[type[Exception], ...]:
    """What the library raises over a damaged or hostile header."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, AttributeError, KeyError),
        *(NotImplementedError, RecursionError, zlib.error),
    )


def _unpacks_too_far(path: Path) -> bool:
    """Whether a file of the deflated transfer syntax (PS3.5 A.5), which the library unpacks in one go, is a bomb."""
    from pydicom.filereader import data_element_generator, read_preamble

    with path.open("rb") as file:
        read_preamble(file, force=True)
        meta = data_element_generator(file, False, True, stop_when=lambda tag, *_: tag.group != META_GROUP)
        if not any(
            element.tag == TRANSFER_SYNTAX and element.value.rstrip(b"\0") == DEFLATED for element in list(meta)
        ):
            return False
        unpacking, count = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not unpacking.eof and count <= MOST_UNPACKED_BYTES:
            packed = unpacking.unconsumed_tail or file.read(UNPACKED_AT_ONCE)
            if not packed:
                break
            count += len(unpacking.decompress(packed, UNPACKED_AT_ONCE))
        return count > MOST_UNPACKED_BYTES


def drop_unreadable(dataset: Any) -> int:
    """Take out of a header the fields that hold no value of their kind, and say how many; each would fail when asked
    for. A picture can be read without most of them, and what it needs is missed where it is needed."""
    count = 0
    for part in (dataset.file_meta, dataset):
        for tag in list(part.keys()):
            try:
                part[tag]
            except _faults():
                del part[tag]
                count += 1
    return count


def _keep_quiet() -> None:
    """The library quotes values that break a rule of the standard, a birth date say, in its warnings and log."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
