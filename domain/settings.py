"""Settings: read once from the environment, checked when built, frozen; and the switches that keep libraries quiet.

The one module of domain that knows pydantic-settings.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import SettingsInvalid
from domain.limits import Limits
from domain.people import Mode
from domain.speech import MAX_RECORDING_HOURS

PREFIX = "HEALTH_CONNECT_"
DEFAULT_DATA_DIR = Path("var")  # inside the checkout, git-ignored: nothing is written anywhere else

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "CHROMA_TELEMETRY_IMPL": "none",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
    "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def telemetry_off() -> None:
    """Silence every library that would call home; to be called before any of them is imported."""
    os.environ.update(QUIET)


def waiting_threads_sleep() -> None:
    """Let threads of a model that wait for each other sleep, unless the environment says otherwise; before torch is
    imported. OpenMP lets them spin, which other work pays for: beside busy processes on two cores, a search took 710 ms
    of the processors while spinning and 50 ms asleep."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class Settings(BaseSettings):
    """What the person who starts the program may choose. Field NAME is the variable HEALTH_CONNECT_NAME."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = DEFAULT_DATA_DIR
    database_url: str = ""  # empty: SQLite in the data folder
    chroma_url: str = ""  # empty: embedded Chroma in the data folder
    memory_budget_mb: int = Field(default=4096, ge=256)
    model_idle_minutes: int = Field(default=20, ge=1)  # a model that nobody used for so long gives its memory back
    ocr_model: str = ""  # empty: the shelf's default
    text_encoder: str = ""
    bundles_dir: Path | None = None  # a folder of MONAI bundles, each of which becomes a card at the next start
    note_endpoint: str = ""  # OpenAI-compatible address of a language model that may rewrite notes, when it is chosen
    note_endpoint_model: str = "default"
    note_model: str = ""  # folder of a transformers model that may rewrite notes, when it is chosen
    note_gguf: str = ""  # GGUF file of a language model that may rewrite notes, when it is chosen; needs xllamacpp
    workers: int = Field(default=min(4, os.cpu_count() or 1), ge=1, le=64)
    upload_age_hours: int = Field(default=2, ge=1)
    issuer: str = "https://health-connect.example"  # signs prescriptions; serves /.well-known/jwks.json
    signing_key: Path | None = None  # a private JWK of mode 0600; empty: made and kept in the data folder
    trusted_issuers: str = ""  # JWKS files of other issuers, separated as in PATH
    demo: bool = True  # invented patients are filed at the first start; never in a clinic
    mode: Mode = Mode.LOCAL
    session_idle_minutes: int = Field(default=30, ge=1)  # clinic: a visit ends when nothing was asked for so long
    session_hours: int = Field(default=12, ge=1)  # clinic: the longest visit, a shift
    workspace_idle_minutes: int = Field(default=120, ge=1)  # demo: a visitor's workspace is deleted after this
    max_workspaces: int = Field(default=100, ge=1)  # demo: visitors at once
    max_bytes: int = Field(default=Limits().max_bytes, ge=1)
    max_pixels: int = Field(default=Limits().max_pixels, ge=1)
    max_pages: int = Field(default=Limits().max_pages, ge=1)
    max_pdf_objects: int = Field(default=Limits().max_pdf_objects, ge=1)
    max_recording_hours: float = Field(default=MAX_RECORDING_HOURS, gt=0, le=24)
    server_name: str = Field(default="127.0.0.1", validation_alias="GRADIO_SERVER_NAME")
    server_port: int = Field(default=7860, ge=1, le=65535, validation_alias="GRADIO_SERVER_PORT")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("postgresql://", "postgresql+psycopg://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("bundles_dir")
    @classmethod
    def _known_folder(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError("must name a folder that exists")
        return folder

    @field_validator("note_endpoint")
    @classmethod
    def _known_endpoint(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @field_validator("chroma_url")
    @classmethod
    def _known_chroma(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @property
    def limits(self) -> Limits:
        return Limits(
            max_bytes=self.max_bytes,
            max_pixels=self.max_pixels,
            max_pages=self.max_pages,
            max_pdf_objects=self.max_pdf_objects,
        )

    @property
    def trusted_issuer_files(self) -> tuple[Path, ...]:
        return tuple(Path(name) for name in self.trusted_issuers.split(os.pathsep) if name.strip())

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'records.sqlite').resolve()}"


def load_settings() -> Settings:
    """Settings from the environment; raises SettingsInvalid naming the variable at fault. Makes the data folder."""
    known = {str(field.validation_alias or f"{PREFIX}{name.upper()}") for name, field in Settings.model_fields.items()}
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in known:
            near = _nearest(variable, known)
            hint = f" Did you mean {near}?" if near else f" Known are: {', '.join(sorted(known))}."
            raise SettingsInvalid(f"The environment has {variable}, which is not a setting.{hint}")
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        variable = name if name.startswith("GRADIO_") else f"{PREFIX}{name}"
        raise SettingsInvalid(
            f"The setting {variable} cannot be used: it must {_wanted(first)}. Correct it or unset it, then start "
            "again."
        ) from error
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.data_dir / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsInvalid(
            f"The folder of {PREFIX}DATA_DIR cannot be made or written. Name a folder that this user may write."
        ) from error
    return settings


# What pydantic found, by its name for it, in our words: its own name Python's types.
_WANTED = {
    "int_parsing": "be a whole number",
    "int_from_float": "be a whole number",
    "float_parsing": "be a number",
    "bool_parsing": "be true or false",
    "enum": "be one of {expected}",
    "greater_than": "be more than {gt:g}",
    "greater_than_equal": "be at least {ge}",
    "less_than_equal": "be at most {le}",
    "value_error": "{error}",  # ours, from a validator
}


def _wanted(found: Mapping[str, Any]) -> str:
    """What a value must be, to go on after "it must"."""
    return _WANTED.get(found["type"], "be of another kind").format(**found.get("ctx", {})).removeprefix("must ")


def _nearest(variable: str, known: set[str]) -> str:
    """The known variable that was probably meant, compared without prefixes; "" where none is near."""
    bare = {name.removeprefix(PREFIX).removeprefix("GRADIO_"): name for name in known}
    near = difflib.get_close_matches(variable.removeprefix(PREFIX), bare, n=1)
    return bare[near[0]] if near else ""
