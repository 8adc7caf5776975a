"""Lets torchaudio be imported on a machine without CUDA.

The wheel of torchaudio 2.11.0 that fits our torch is built for CUDA: its compiled extension asks for libc10_cuda.so,
and the import of the whole package fails; with it that of transformers and sentence-transformers, which look for it. We
need none of the compiled functions. A stand-in for `torchaudio._extension`, put in place before the first import, says
that they are not there; what would need one raises as on any machine without them.
"""

from __future__ import annotations

import importlib.util
import sys
import types

NAME = "torchaudio._extension"


def stand_in() -> None:
    """To be called before anything imports torchaudio, transformers or sentence-transformers. Does nothing twice."""
    if NAME in sys.modules or "torchaudio" in sys.modules or importlib.util.find_spec("torchaudio") is None:
        return
    module = types.ModuleType(NAME)

    def missing(function):  # type: ignore[no-untyped-def]
        def refuse(*args, **kwargs):  # type: ignore[no-untyped-def]
            raise RuntimeError(f"torchaudio's compiled part is not loaded, so {function.__name__} cannot be used")

        return refuse

    module._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    module._IS_RIR_AVAILABLE = False  # type: ignore[attr-defined]
    module._IS_ALIGN_AVAILABLE = False  # type: ignore[attr-defined]
    module.fail_if_no_align = missing  # type: ignore[attr-defined]
    module.fail_if_no_rir = missing  # type: ignore[attr-defined]
    module.lazy_import_sox_ext = lambda: None  # type: ignore[attr-defined]
    sys.modules[NAME] = module
