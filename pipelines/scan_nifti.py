"""NIfTI volumes: slices along the body axis, as a radiologist looks at them."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from domain.errors import UploadRejected
from domain.limits import Limits

NIFTI1_BYTES, NIFTI2_BYTES = 348, 540
MAX_VOLUME_BYTES = 1_500_000_000  # unpacked; a 512 x 512 x 700 CT in float64
CHUNK = 1 << 20
TOO_LARGE = "The NIfTI volume is larger than can be taken. Cut it to the part in question."
NIFTI_DICOM = 2  # code of the header extension that holds DICOM attributes


def looks_like_nifti(head: bytes) -> bool:
    """By the magic word at its place in the header, packed or not."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_NEEDED)
        except zlib.error:
            return False
        if len(head) < HEAD_NEEDED:
            return head[:4] in SIZES  # the magic word lies beyond what the first bytes unpack to
    return head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2")


HEAD_NEEDED = 348
SIZES = tuple(size.to_bytes(4, order) for size in (NIFTI1_BYTES, NIFTI2_BYTES) for order in ("little", "big"))


def open_nifti(path: Path, limits: Limits) -> tuple[int, tuple[str, ...], tuple[str, ...], Callable[[int], np.ndarray]]:
    """(slices, identity fields present, warnings, decode). Raises UploadRejected."""
    from nibabel.filebasedimages import ImageFileError
    from nibabel.orientations import OrientationError
    from nibabel.spatialimages import HeaderDataError

    from pipelines.scan_intake import to_eight_bits

    # LinAlgError (an orientation of zeros) is a ValueError.
    damage = (ImageFileError, HeaderDataError, OrientationError, OSError, EOFError, ArithmeticError)
    damage += (ValueError, TypeError, KeyError)
    with _unpacked(path) as content:
        try:
            volume, identity, warnings = _read(content, limits)
        except UploadRejected:
            raise
        except damage as error:
            raise UploadRejected("The NIfTI file is damaged or breaks off. Export or copy it again.") from error
    bad = ~np.isfinite(volume)
    if bad.all():
        raise UploadRejected("The NIfTI volume holds no numbers (NaN everywhere). Export it again.")
    if bad.any():
        warnings.append(
            f"{int(bad.sum()):,} of {bad.size:,} places hold no finite number (NaN or infinite); they are shown as the "
            "darkest."
        )
        volume[bad] = np.nan
    # One scaling for the volume, so that brightness compares between slices.
    eight = to_eight_bits(volume)
    # Canonical axes point right, front, up; shown from the feet: front on top, the patient's right on the left.
    return (
        volume.shape[2],
        identity,
        tuple(warnings),
        lambda number: np.ascontiguousarray(eight[::-1, ::-1, number - 1].T),
    )


def _read(content: IO[bytes], limits: Limits) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """(float32 volume along canonical axes, identity fields present, warnings). Raises UploadRejected and nibabel's."""
    import nibabel

    head = content.read(HEAD_NEEDED)
    content.seek(0)
    reader = nibabel.Nifti2Image if head[4:7] in (b"n+2", b"ni2") else nibabel.Nifti1Image
    if head[344:347] == b"ni1" or head[4:7] == b"ni2":
        raise UploadRejected(
            "This is one half of a NIfTI pair (.hdr and .img). Save it as one file (.nii), and upload that."
        )
    image = reader.from_stream(content)
    shape, dtype = image.shape, image.get_data_dtype()
    if not 2 <= len(shape) <= 5 or 0 in shape:
        raise UploadRejected(f"The NIfTI file has {len(shape)} dimensions; a volume of three is needed.")
    if dtype.names or np.issubdtype(dtype, np.complexfloating):
        raise UploadRejected("The NIfTI file holds colours or complex numbers, not grey values. Export magnitudes.")
    if shape[0] * shape[1] > limits.max_pixels or np.prod(shape, dtype=float) * 4 > MAX_VOLUME_BYTES:
        raise UploadRejected(TOO_LARGE)
    identity, warnings = _identity_in(image), []
    if identity:
        warnings.append(
            f"The file may carry identity ({', '.join(identity)}); it is neither shown nor kept with the reading."
        )
    if len(shape) > 3 and np.prod(shape[3:]) > 1:
        warnings.append(f"The file holds {int(np.prod(shape[3:]))} volumes; only the first was read.")
    upright = nibabel.as_closest_canonical(_first_volume(image))
    return np.asarray(upright.dataobj, dtype=np.float32), identity, warnings


def _identity_in(image) -> tuple[str, ...]:
    """Places of the header that may name a person: converters write the DICOM header or its patient into them."""
    kinds = {extension.get_code() for extension in image.header.extensions}
    found = ["a copy of the DICOM header"] if NIFTI_DICOM in kinds else []
    named = "db_name" in image.header and bytes(image.header["db_name"].tobytes()).strip(b"\0 ")
    return (*found, "free text") if named or kinds - {NIFTI_DICOM} else tuple(found)


def _first_volume(image):
    shape = image.shape
    data = np.asarray(
        image.dataobj[..., 0] if len(shape) == 4 else image.dataobj[..., 0, 0] if len(shape) == 5 else image.dataobj
    )
    if data.ndim == 2:
        data = data[..., None]
    return type(image)(data, image.affine, None)


def _unpacked(path: Path) -> IO[bytes]:
    """The file, unpacked where packed, never more than the limit: a few kilobytes can unpack to terabytes."""
    with path.open("rb") as start:
        if start.read(2) != b"\x1f\x8b":
            return path.open("rb")
    kept = tempfile.TemporaryFile()  # noqa: SIM115, on disk, as it may be a gigabyte; closed by who reads it
    try:
        with gzip.open(path, "rb") as source:
            while chunk := source.read(CHUNK):
                kept.write(chunk)
                if kept.tell() > MAX_VOLUME_BYTES:
                    raise UploadRejected(TOO_LARGE)
    except (OSError, EOFError, zlib.error) as error:
        kept.close()
        raise UploadRejected("The packed NIfTI file breaks off or is damaged. Copy it again.") from error
    kept.seek(0)
    return kept
