"""12-bit JPEG Extended (DICOM transfer syntax 1.2.840.10008.1.2.4.51), decoded by GDCM.

pydicom leaves this syntax to a package under the GPL and keeps its own GDCM plugin from it, though GDCM decodes it;
the test holds the result against values that were read off in another viewer. Registered as a plugin of pydicom's.
"""

from __future__ import annotations

import threading
from typing import Any

LABEL = "gdcm-12-bit"
DECODER_DEPENDENCIES = {"1.2.840.10008.1.2.4.51": ("gdcm>=3.0.10",)}  # pydicom asks a plugin for this table
_once = threading.Lock()


def is_available(uid: str) -> bool:
    """As pydicom asks its plugins."""
    return uid in DECODER_DEPENDENCIES


def register() -> None:
    """Tell pydicom of this decoder; once, however often it is called."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import JPEGExtended12Bit

    decoder = get_decoder(JPEGExtended12Bit)
    with _once:  # pydicom's table is not safe among threads
        if LABEL not in decoder.available_plugins:
            decoder.add_plugin(LABEL, (__name__, "decode_frame"))


def decode_frame(frame: bytes, runner: Any) -> bytes:
    """Pixels of one compressed frame, in the file's own order. Raises NotImplementedError for 8 bits, which pydicom's
    other plugins decode, and whatever GDCM raises."""
    import gdcm

    if runner.bits_stored <= 8:
        raise NotImplementedError("8-bit frames are for the other plugins")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if runner.samples_per_pixel > 1:
        image.SetPlanarConfiguration(runner.planar_configuration)
    syntax = gdcm.TransferSyntax.GetTSType(str(runner.transfer_syntax))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    bits = runner.bits_stored
    image.SetPixelFormat(
        gdcm.PixelFormat(runner.samples_per_pixel, runner.bits_allocated, bits, bits - 1, runner.pixel_representation)
    )
    return image.GetBuffer().encode("utf-8", "surrogateescape")  # the binding hands bytes out as text
