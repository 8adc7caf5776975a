"""Stored DICOM pixels become what a viewer shows: colours, rescale, window, inverted grey, and upright slices."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from pipelines.scan_decoding import stored_pixels

log = logging.getLogger(__name__)

# What decides how one frame looks; in enhanced objects it lies in functional groups (PS3.3 C.7.6.16).
LOOKS = (
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "VOILUTSequence", "ImageOrientationPatient", "BitsStored", "PixelRepresentation",
)  # fmt: skip
GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence", "PlaneOrientationSequence")
TURNED = ("CT", "MR", "PT", "NM")  # slices; a radiograph's marks are part of the picture, so it stays as stored


def decode_frame(dataset: Any, index: int) -> np.ndarray:
    """uint8 (rows, columns[, 3]) of one frame as stored, in the greys that a viewer shows. Raises UploadRejected,
    naming the compression where no decoder for it is installed."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut

    try:
        photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
        complete_meta(dataset)
        stored = stored_pixels(dataset, index)
        if photometric == "PALETTE COLOR":
            return _eight_bit_colours(apply_color_lut(stored, dataset))
        if int(dataset.get("SamplesPerPixel", 1)) > 1:
            return _eight_bit_colours(stored)
        looks = looks_of(dataset, index)
        values = np.asarray(apply_modality_lut(stored, looks), np.float32)
        outside = _padding(dataset, stored)
        shown = _windowed(values, looks)
        if shown is None or shown.max() == shown.min():  # a window that leaves nothing was written for another picture
            shown = _full_range(values, outside)
        # MONOCHROME1 stores white as low (PS3.3 C.7.6.3.1.2); shown as stored, bone would be black.
        shown = 255 - shown if photometric == "MONOCHROME1" else shown
        return shown if outside is None else np.where(outside, np.uint8(0), shown)
    except UploadRejected:
        raise
    except Exception as error:
        # Decoders raise whatever their C libraries do; each is the file's fault or a missing decoder.
        log.info("a DICOM picture could not be decoded: %s", type(error).__name__)
        raise UploadRejected(
            f"The picture inside the DICOM file cannot be decoded ({_compression(dataset)}): it is damaged, or there "
            "is no decoder for it here. Export it uncompressed (Explicit VR Little Endian)."
        ) from error


def upright(picture: np.ndarray, dataset: Any, index: int) -> np.ndarray:
    """A slice as radiologists look at it: front or head on top, and the patient's left, or back, on the right.

    By ImageOrientationPatient of CT, MR, PET and scintigraphy; everything else stays as stored.
    """
    if str(dataset.get("Modality", "")) not in TURNED:
        return picture
    try:
        cosines = [float(value) for value in looks_of(dataset, index).ImageOrientationPatient]
    except (AttributeError, TypeError, ValueError):
        return picture
    if len(cosines) != 6:
        return picture
    along, down = np.array(cosines[:3]), np.array(cosines[3:])
    if np.abs(along).argmax() == np.abs(down).argmax():
        return picture
    if np.abs(along).argmax() > np.abs(down).argmax():  # x runs across before y, y before z
        picture, along, down = np.swapaxes(picture, 0, 1), down, along
    axis = int(np.abs(down).argmax())
    if along[np.abs(along).argmax()] < 0:
        picture = picture[:, ::-1]
    if (down[axis] < 0) != (axis == 2):  # y grows towards the back, z towards the head
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def looks_of(dataset: Any, index: int) -> Any:
    """A small dataset of what decides how frame `index` (from 0) looks."""
    from pydicom import Dataset

    looks = Dataset()
    for name in LOOKS:
        if name in dataset:
            looks[name] = dataset[name]
    shared, each = dataset.get("SharedFunctionalGroupsSequence"), dataset.get("PerFrameFunctionalGroupsSequence")
    groups = [shared[0]] if shared else []
    groups += [each[index]] if each and index < len(each) else []
    for group in groups:
        for name in GROUPS:
            items = group.get(name)
            if items:
                looks.update({element.tag: element for element in items[0] if element.keyword in LOOKS})
    return looks


def complete_meta(dataset: Any) -> None:
    """Files without a meta header do not name their transfer syntax; the default of PS3.5 section 10 then holds."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _windowed(values: np.ndarray, looks: Any) -> np.ndarray | None:
    """uint8 by the first window or table of the header (PS3.3 C.11.2.1.2), None where there is neither."""
    from pydicom.pixels import apply_voi_lut

    if looks.get("VOILUTSequence"):
        bits = int(looks.VOILUTSequence[0].LUTDescriptor[2])
        share = np.asarray(apply_voi_lut(values.astype(np.int64), looks, prefer_lut=True)) / float(2**bits - 1)
    elif looks.get("WindowWidth") is not None and looks.get("WindowCenter") is not None:
        centre, width = _first(looks.WindowCenter), _first(looks.WindowWidth)
        function = str(looks.get("VOILUTFunction", "LINEAR") or "LINEAR").upper()
        if function == "SIGMOID":
            share = 1 / (1 + np.exp(np.clip(-4 * (values - centre) / max(width, 1e-6), -50, 50)))
        else:
            half, middle = (width / 2, centre) if function == "LINEAR_EXACT" else ((width - 1) / 2, centre - 0.5)
            share = (values - (middle - half)) / max(2 * half, 1e-6)
    else:
        return None
    return (np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)


def _first(value: Any) -> float:
    return float(value if isinstance(value, str | int | float) else value[0])


def _padding(dataset: Any, stored: np.ndarray) -> np.ndarray | None:
    """Where pixels only fill the picture up (PS3.3 C.7.5.1.1.2); None where nothing does."""
    low = dataset.get("PixelPaddingValue")
    if low is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((int(low), int(low if limit is None else limit)))
    outside = (stored >= low) & (stored <= high)
    return outside if outside.any() and not outside.all() else None


def _full_range(values: np.ndarray, outside: np.ndarray | None) -> np.ndarray:
    from pipelines.scan_intake import to_eight_bits

    return to_eight_bits(values if outside is None else np.where(outside, np.float32(np.nan), values))


def _eight_bit_colours(colours: np.ndarray) -> np.ndarray:
    """uint8 RGB; 16-bit colours lose their lower byte, nothing is stretched, because colours carry meaning."""
    if colours.dtype == np.uint8:
        return colours[..., :3]
    top = float(np.iinfo(colours.dtype).max) if np.issubdtype(colours.dtype, np.integer) else float(colours.max() or 1)
    return np.clip(colours[..., :3].astype(np.float32) * (255.0 / top), 0, 255).astype(np.uint8)


def _compression(dataset: Any) -> str:
    uid = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    return str(getattr(uid, "name", "compression not named")) if uid else "compression not named"
