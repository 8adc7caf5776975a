"""Stored DICOM pixels; compressed ones are decoded in a process of their own.

Decoders of JPEG are C and C++ libraries, and a damaged or hostile frame can end, or hold up, the process that they run
in (GDCM 3.2 aborts): then it is that process, one picture is refused, and the program goes on answering. The process is
loky's, which comes with joblib, as it does not run the program's main file again; it goes when nobody needs it.
"""

from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as NotInTime
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

IDLE_SECONDS = 60  # after which the process and its memory are given back
DECODE_SECONDS = 120  # the largest frame that is taken needs a few
# What decoding needs of a header (PS3.3 C.7.6.3); the rest, and with it the patient, stays here.
NEEDED = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames", "PixelData", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)  # fmt: skip
_one_at_a_time = threading.Lock()  # so that a process that ends is the fault of the picture in hand


class DecoderEnded(ValueError):
    """The decoder's process ended, or did not come to an end, over a picture."""


def stored_pixels(dataset: Any, index: int | None = None) -> np.ndarray:
    """(rows, columns[, samples]) of frame `index` from 0, or of all frames with their axis first where it is None and
    there are several; colours as RGB; not to be written to.

    Raises DecoderEnded, and whatever pydicom and its decoders raise."""
    from pydicom.pixels import pixel_array

    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return pixel_array(dataset, index=index)
    from joblib.externals.loky import get_reusable_executor

    picture = _picture_of(dataset, index)
    with _one_at_a_time:
        process = get_reusable_executor(max_workers=1, timeout=IDLE_SECONDS)
        try:
            return process.submit(_decode, picture, None if index is None else 0).result(DECODE_SECONDS)
        except NotInTime as error:
            process.shutdown(wait=False, kill_workers=True)
            raise DecoderEnded("the decoder did not come to an end") from error
        except BrokenProcessPool as error:
            raise DecoderEnded("the decoder ended without an answer") from error


def _picture_of(dataset: Any, index: int | None) -> Any:
    """What decoding needs, of one frame alone where one is asked for."""
    from pydicom import Dataset
    from pydicom.encaps import encapsulate, get_frame

    picture = Dataset()
    for name in NEEDED:
        if name in dataset:
            picture[name] = dataset[name]
    picture.file_meta = dataset.file_meta
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    if index is not None and frames > 1:
        lengths = [dataset.get(name) for name in NEEDED[-2:]]
        frame = get_frame(
            dataset.PixelData,
            index,
            extended_offsets=tuple(lengths) if all(lengths) else None,  # type: ignore[arg-type]
            number_of_frames=frames,
        )
        for name in NEEDED[-2:]:
            picture.pop(name, None)
        picture.NumberOfFrames = 1
        picture.PixelData = encapsulate([frame])
    return picture


def _decode(picture: Any, index: int | None) -> np.ndarray:
    """In the other process."""
    from pydicom.pixels import pixel_array

    from pipelines import scan_jpeg12

    scan_jpeg12.register()
    return pixel_array(picture, index=index)
