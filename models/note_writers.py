"""Language models that may rewrite a note's lines, one by one. None of them is used unless a person chose it by name.

They see lines, never the chart; what they answer goes through pipelines.note_guard like every other line. The null
writer is a choice too: it leaves the lines as they are.
"""

from __future__ import annotations

import json
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from domain.errors import ModelUnavailable
from domain.models import ModelCard

TASK = (
    "Rewrite each numbered line of a clinical note in concise clinical English. Change no number, unit, medicine, side "
    "or negation, add nothing, and leave nothing out. Answer with the same numbers, one line each, and nothing else."
)
TIMEOUT_S = 120
MAX_NEW_TOKENS = 1500
CONTEXT_TOKENS = 6000  # a long note, and as long an answer
_NUMBERED = re.compile(r"^\s*(\d+)[.):]\s*(.+?)\s*$")


class NoWriter:
    """Leaves every line as it is."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.card = card

    def rewrite(self, lines: Sequence[str]) -> tuple[str, ...]:
        """As many lines as were given, in their order."""
        return tuple(lines)


class EndpointWriter:
    """An OpenAI-compatible endpoint (llama.cpp, vLLM, Ollama and others), at the address that the settings give."""

    def __init__(self, folder: Path, card: ModelCard, *, url: str, model: str) -> None:
        self.card, self._url, self._model = card, url.rstrip("/") + "/chat/completions", model

    def rewrite(self, lines: Sequence[str]) -> tuple[str, ...]:
        """As many lines as were given; one that is not in the answer stays as it was. Raises ModelUnavailable."""
        body = {"model": self._model, "temperature": 0, "messages": _messages(lines)}
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                said = json.loads(answer.read())["choices"][0]["message"]["content"]
        except (urllib.error.URLError, OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise ModelUnavailable(
                f"The language model at {urlparse(self._url).netloc} gave no usable answer, so no note was written. "
                "Start it, or choose another writer on the Models tab."
            ) from error
        return numbered_lines(str(said), lines)


class TransformersWriter:
    """A causal language model of the transformers library, from a local folder."""

    def __init__(self, folder: Path, card: ModelCard, *, path: str) -> None:
        """Raises ModelUnavailable for a folder that holds no such model."""
        from models.torchaudio_stand_in import stand_in

        stand_in()
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.card = card
        try:
            self._words = AutoTokenizer.from_pretrained(path, local_files_only=True)
            self._model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                "The folder of HEALTH_CONNECT_NOTE_MODEL holds no language model that can be read. Name another, "
                "or unset it."
            ) from error

    def rewrite(self, lines: Sequence[str]) -> tuple[str, ...]:
        """As many lines as were given; one that is not in the answer stays as it was."""
        if self._words.chat_template:
            prompt = self._words.apply_chat_template(_messages(lines), tokenize=False, add_generation_prompt=True)
        else:
            prompt = "\n".join(message["content"] for message in _messages(lines)) + "\n"
        given = self._words(prompt, return_tensors="pt")
        made = self._model.generate(**given, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        said = self._words.decode(made[0][given["input_ids"].shape[1] :], skip_special_tokens=True)
        return numbered_lines(said, lines)


class GgufWriter:
    """A GGUF file through llama.cpp within this process: the package xllamacpp, which is installed only by choice.

    Its server part always listens. Left alone it opens a TCP port without a key to every page of every browser here; it
    gets a socket in a folder that only this user may enter instead, and nothing is ever sent through it.
    """

    def __init__(self, folder: Path, card: ModelCard, *, path: str) -> None:
        """Raises ModelUnavailable without the package, or for a file that is no such model."""
        if not Path(path).is_file():
            raise ModelUnavailable(
                "HEALTH_CONNECT_NOTE_GGUF names no file, so there is no language model. Name a GGUF file, or unset it."
            )
        try:
            import xllamacpp
        except ImportError as error:
            raise ModelUnavailable(
                "A GGUF model needs the package xllamacpp, which is not installed. Install requirements-gguf.txt, or "
                "choose another writer on the Models tab."
            ) from error
        self.card = card
        self._private = tempfile.TemporaryDirectory(prefix="hc-")  # made with mode 0700; gone with this object
        wanted = xllamacpp.CommonParams()
        wanted.model.path, wanted.n_ctx = path, CONTEXT_TOKENS
        wanted.hostnames = [f"{self._private.name}/llama.sock"]
        try:
            self._server = xllamacpp.Server(wanted)
        except (RuntimeError, ValueError) as error:
            raise ModelUnavailable(
                "The file of HEALTH_CONNECT_NOTE_GGUF holds no language model that can be read. Name another, or unset "
                "it."
            ) from error

    def rewrite(self, lines: Sequence[str]) -> tuple[str, ...]:
        """As many lines as were given; one that is not in the answer stays as it was. Raises ModelUnavailable."""
        asked = {"messages": _messages(lines), "temperature": 0, "max_tokens": MAX_NEW_TOKENS}
        try:
            said = self._server.handle_chat_completions(asked)["choices"][0]["message"]["content"]
        except (RuntimeError, KeyError, IndexError, TypeError) as error:
            raise ModelUnavailable(
                "The language model gave no usable answer, so no note was written. Choose another writer on the Models "
                "tab, or a model with room for a longer text."
            ) from error
        return numbered_lines(str(said), lines)


def numbered_lines(said: str, lines: Sequence[str]) -> tuple[str, ...]:
    """The answer's lines by their numbers; where one is missing, the line as it was."""
    found = {int(match[1]): match[2] for row in said.splitlines() if (match := _NUMBERED.match(row))}
    return tuple(found.get(number, line) for number, line in enumerate(lines, start=1))


def _messages(lines: Sequence[str]) -> list[dict[str, Any]]:
    numbered = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))
    return [{"role": "system", "content": TASK}, {"role": "user", "content": numbered}]
