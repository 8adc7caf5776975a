"""DICOM files: pictures as a viewer shows them (rescale, window, inverted grey), and which identity they carry."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from domain.limits import Limits

log = logging.getLogger(__name__)

DICOMDIR = "1.2.840.10008.1.3.10"
# Header fields that point at a person, and what they are called when they are reported as present.
IDENTITY = (
    ("PatientName", "name"),
    ("PatientID", "patient number"),
    ("PatientBirthDate", "birth date"),
    ("OtherPatientIDs", "other numbers"),
    ("PatientAddress", "address"),
    ("StudyDate", "study date"),
    ("AccessionNumber", "accession number"),
    ("InstitutionName", "institution"),
    ("ReferringPhysicianName", "physician"),
)


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
    identity = tuple(words for name, words in IDENTITY if str(dataset.get(name, "") or "").strip())
    warnings = []
    if identity:
        warnings.append(
            f"The file carries identity ({', '.join(identity)}); it is neither shown nor kept with the reading. "
            "To pass the file on, save it without identity first."
        )
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        warnings.append("The file says that text is burned into the picture.")
    if str(dataset.get("LossyImageCompression", "")) == "01":
        warnings.append("The picture was compressed with loss before it came here.")
    modality = str(dataset.get("Modality", "") or "").strip().upper() or None
    decode: Callable[[int], np.ndarray] = lambda number: decode_frame(dataset, number - 1)  # noqa: E731
    return frames, modality, identity, tuple(warnings), decode


def read_header(path: Path) -> Any:
    """The dataset, pixels not yet decoded. Raises UploadRejected."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(path, force=True)
    except (
        InvalidDicomError,
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        NotImplementedError,
    ) as error:
        raise UploadRejected(
            "The DICOM file is damaged or breaks off, so it cannot be read. Export it again."
        ) from error


def decode_frame(dataset: Any, index: int) -> np.ndarray:
    """uint8 (rows, columns[, 3]) of one frame, as a viewer shows it. Raises UploadRejected, naming the compression
    where no decoder for it is installed."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

    from pipelines.scan_intake import to_eight_bits

    try:
        photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
        _complete_meta(dataset)
        stored = pixel_array(dataset, index=index)
        if photometric == "PALETTE COLOR":
            return to_eight_bits_fixed(apply_color_lut(stored, dataset))
        if int(dataset.get("SamplesPerPixel", 1)) > 1:
            return to_eight_bits_fixed(stored)
        values = apply_modality_lut(stored, dataset)
        shown = to_eight_bits(values)
        if "WindowWidth" in dataset or "VOILUTSequence" in dataset:
            windowed = np.asarray(apply_voi_lut(values, dataset), np.float32)
            if windowed.max() > windowed.min():  # a window that leaves nothing was written for another picture
                shown = ((windowed - windowed.min()) * (255.0 / (windowed.max() - windowed.min()))).astype(np.uint8)
        # MONOCHROME1 stores white as low (PS3.3 C.7.6.3.1.2); shown as stored, bone would be black.
        return 255 - shown if photometric == "MONOCHROME1" else shown
    except UploadRejected:
        raise
    except Exception as error:
        # Decoders raise whatever their C libraries do; each is the file's fault or a missing decoder.
        log.info("a DICOM picture could not be decoded: %s", type(error).__name__)
        name = _compression(dataset)
        raise UploadRejected(
            f"The picture inside the DICOM file cannot be decoded ({name}): it is damaged, or there is no decoder for "
            "it here. Export it uncompressed (Explicit VR Little Endian)."
        ) from error


def to_eight_bits_fixed(colours: np.ndarray) -> np.ndarray:
    """uint8 RGB; 16-bit colours lose their lower byte, nothing is stretched, because colours carry meaning."""
    if colours.dtype == np.uint8:
        return colours[..., :3]
    top = float(np.iinfo(colours.dtype).max) if np.issubdtype(colours.dtype, np.integer) else float(colours.max() or 1)
    return np.clip(colours[..., :3].astype(np.float32) * (255.0 / top), 0, 255).astype(np.uint8)


def _complete_meta(dataset: Any) -> None:
    """Files without a meta header do not name their transfer syntax; the default of PS3.5 section 10 then holds."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _compression(dataset: Any) -> str:
    uid = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    return str(getattr(uid, "name", "compression not named")) if uid else "compression not named"
