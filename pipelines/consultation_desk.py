"""The consultation desk: a visit is heard or imported, its note drafted, edited, signed, and added to.

The one place where the jobs of a visit meet models, store and clock; what it calls are pure functions. The recording is
kept until the note is signed, so that every line can be heard; then it is deleted.
"""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from domain import consultation_contract as contract
from domain.audit import Actor
from domain.consultation import (
    Addendum,
    ConsultationNote,
    ConsultationSummary,
    NoteLine,
    NoteStatus,
    Signature,
    SpeakerRole,
)
from domain.errors import ModelUnavailable, NotAllowed, NothingFound, UploadRejected
from domain.models import ModelStamp
from domain.patient import Patient
from domain.speech import MAX_RECORDING_HOURS, Transcript, Utterance
from models.shelf import ModelShelf
from pipelines import consultation as visit
from pipelines.consultation import Visit
from pipelines.consultation_export import Exported, exported
from pipelines.greeting import OTHER_NAME, greets_another
from pipelines.medical_words import with_doubts
from pipelines.note_desk import FindRecords, NoteDesk
from pipelines.note_templates import SOAP
from pipelines.progress import Progress, silent
from pipelines.roles import Said, name_speakers
from storage.consultations import NOTE, ConsultationStore, KeptConsultation

if TYPE_CHECKING:
    from storage.files import FileStore

TRANSCRIBER, DIARIZER = "transcriber", "diarizer"  # tasks on the shelf
SIGNERS = ("doctor", "clinician")
IMPORTED = ModelStamp("imported-text", "1")  # the "model" of a conversation that came as text
MAX_NAME_CHARS = 200
MAX_ADDENDUM_CHARS = 10_000
TITLE_CHARS = 120


@dataclass(frozen=True, slots=True)
class Recording:
    """Where the bytes of a recording lie, and their media type."""

    path: Path
    media_type: str


def _nobody(utterance: Utterance) -> None:
    """Nobody watches the utterances come."""


def _no_list(patient_id: str) -> tuple[str, ...]:
    """No list of medicines is known here."""
    return ()


class ConsultationDesk:
    """Every job on visits. Safe to call from several threads."""

    def __init__(
        self,
        shelf: ModelShelf,
        store: ConsultationStore,
        files: FileStore,
        find_records: FindRecords,
        patient_of: Callable[[str], Patient],
        medications_of: Callable[[str], Sequence[str]] = _no_list,
        max_recording_hours: float = MAX_RECORDING_HOURS,
    ) -> None:
        """`patient_of`: a patient by id; raises NothingFound. `medications_of`: names a patient's records hold."""
        self._shelf, self._store, self._files = shelf, store, files
        self._patient_of, self._medications_of = patient_of, medications_of
        self._max_recording_s = max_recording_hours * 3600
        self._notes = NoteDesk(shelf, find_records, lambda patient_id: patient_of(patient_id).sex)

    # -- looking ----------------------------------------------------------------------------------------------------

    def visit(self, consultation_id: str) -> Visit:
        """Raises NothingFound."""
        return _visit(self._store.get(consultation_id))

    def transcript(self, consultation_id: str) -> Transcript:
        """Raises NothingFound."""
        return self.visit(consultation_id).transcript

    def note(self, consultation_id: str) -> ConsultationNote:
        """Raises NothingFound, also where no note was drafted yet."""
        return self.visit(consultation_id).drafted_note

    def of_patient(self, patient_id: str) -> tuple[ConsultationSummary, ...]:
        """A patient's visits, newest first; "" for those of nobody."""
        return tuple(_summary(kept) for kept in self._store.of_patient(patient_id))

    def note_versions(self, consultation_id: str) -> tuple[ConsultationNote, ...]:
        """Every version of the note, oldest first."""
        self._store.get(consultation_id)
        return tuple(contract.read_note(one.content) for one in self._store.versions(consultation_id, NOTE))

    def recording(self, consultation_id: str) -> Recording:
        """Raises NothingFound where none is kept (any more)."""
        kept = self._store.get(consultation_id)
        if not kept.audio_sha256:
            raise NothingFound(
                "No recording is kept here: the conversation came as text, or its note is signed. Read the transcript."
            )
        return Recording(self._files.path(kept.audio_sha256), kept.audio_type)

    def export(self, consultation_id: str, kind: str, template: str = SOAP) -> Exported:
        """Note (pdf, docx, txt, fhir) or transcript (srt, vtt) as a file; a draft is marked as one.

        Raises NothingFound, UploadRejected.
        """
        now = self.visit(consultation_id)
        return exported(now, kind, self._patient_of(now.patient_id) if now.patient_id else None, template)

    # -- hearing ----------------------------------------------------------------------------------------------------

    def transcribe(
        self,
        path: Path,
        patient_id: str,
        speakers: int,
        actor: Actor,
        progress: Progress = silent,
        on_utterance: Callable[[Utterance], None] = _nobody,
    ) -> Visit:
        """Hear a recording: who spoke when, and what. `speakers` 0 finds out; `on_utterance` is called as they come.

        Raises UploadRejected, NothingFound (unknown patient), Cancelled, ModelUnavailable.
        """
        if patient_id:
            self._patient_of(patient_id)
        if not {TRANSCRIBER, DIARIZER} <= {card.task for card in self._shelf.cards}:
            raise ModelUnavailable(
                "No speech recogniser stands on the shelf here, so nothing was transcribed. Paste the visit as text."
            )
        # Here, because a visit that comes as text needs none of it.
        from pipelines.audio_intake import open_audio
        from pipelines.transcribe import transcribe

        audio = open_audio(path, self._max_recording_s)  # before any model is loaded: it may be no recording

        transcriber_id, diarizer_id = self._shelf.chosen(TRANSCRIBER).id, self._shelf.chosen(DIARIZER).id
        with (
            self._shelf.borrow(transcriber_id, progress) as transcriber,
            self._shelf.borrow(diarizer_id, progress) as diarizer,
        ):
            own = self._medications_of(patient_id) if patient_id else ()
            heard = transcribe(audio, diarizer, transcriber, speakers or None, progress, on_utterance, own)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return self.keep_heard(heard, patient_id, path, media_type, actor)

    def keep_heard(
        self, heard: Transcript, patient_id: str, path: Path, media_type: str, actor: Actor, detail: str = ""
    ) -> Visit:
        """Keep a transcript with its recording, and name its speakers' roles. Raises NothingFound (unknown patient)."""
        if patient_id:
            self._patient_of(patient_id)
        sha256 = self._files.keep(path)
        return self._keep_new(heard, {}, patient_id, actor, detail or "recording transcribed", sha256, media_type)

    def import_transcript(self, text: str, patient_id: str, actor: Actor) -> Visit:
        """Keep a conversation that came as text. Raises UploadRejected for what is none."""
        if patient_id:
            self._patient_of(patient_id)
        own = self._medications_of(patient_id) if patient_id else ()
        utterances = with_doubts(visit.read_conversation(text), own)
        made = Transcript(uuid.uuid4().hex, None, utterances, (IMPORTED,))
        return self._keep_new(made, visit.roles_from_labels(utterances), patient_id, actor, "conversation imported")

    def relabel(self, consultation_id: str, speaker: str, role: str, actor: Actor) -> Visit:
        """Name a speaker's role; transcript, note and evidence follow. Raises as `correct_word`."""
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        roles = visit.relabelled(now.roles, speaker, role)
        return self._change(kept, visit.with_roles(now.transcript, roles), roles, actor, "a speaker's role named")

    def correct_word(self, consultation_id: str, utterance_id: str, index: int, text: str, actor: Actor) -> Visit:
        """One word as a person heard it; the note follows. Raises NothingFound, UploadRejected, NotAllowed."""
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        mended = visit.with_word(now.transcript, utterance_id, index, text)
        return self._change(kept, mended, now.roles, actor, "a word of the transcript corrected")

    def correct_utterance(self, consultation_id: str, utterance_id: str, text: str, actor: Actor) -> Visit:
        """One utterance typed anew; the note follows. Raises NothingFound, UploadRejected, NotAllowed."""
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        mended = visit.with_text(now.transcript, utterance_id, text)
        return self._change(kept, mended, now.roles, actor, "an utterance of the transcript corrected")

    # -- the note ---------------------------------------------------------------------------------------------------

    def draft_note(self, consultation_id: str, actor: Actor, progress: Progress = silent) -> Visit:
        """Draft the note anew; lines that a person wrote stay. Raises NothingFound, NotAllowed (signed)."""
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        _refuse_signed(now)
        note = self._notes.drafted(now, progress)
        self._store.change(kept, actor, "note drafted", note=contract.note(note), model=note.models[0])
        return self.visit(consultation_id)

    def save_note(self, consultation_id: str, lines: Sequence[NoteLine], actor: Actor) -> Visit:
        """Keep the lines as a person edited them. Raises NothingFound, UploadRejected, NotAllowed (signed)."""
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        _refuse_signed(now)
        note = self._notes.edited(now, lines)
        self._store.change(kept, actor, "note edited", note=contract.note(note))
        return self.visit(consultation_id)

    def sign(self, consultation_id: str, lines: Sequence[NoteLine], name: str, actor: Actor) -> Visit:
        """Sign and lock the note; the recording goes. Raises NotAllowed, NothingFound, UploadRejected."""
        if actor.role not in SIGNERS:
            raise NotAllowed("Only a clinician may sign a note. Ask the doctor who saw the patient to sign it.")
        name = _one_line(name, "Your name is needed to sign, so the note is not signed. Type it beside the button.")
        kept = self._store.get(consultation_id)
        now = _visit(kept)
        _refuse_signed(now)
        note = self._notes.edited(now, lines)
        if not note.lines:
            raise UploadRejected("The note has no line, so there is nothing to sign. Draft or write it first.")
        signature = Signature(name, datetime.now(UTC), contract.sha256_of(note))
        signed = replace(note, signature=signature)
        detail = f"note signed, sha256 {signature.sha256[:16]}"
        self._store.sign(kept, contract.note(signed), contract.signature(signature), actor, detail)
        self._let_go(kept.audio_sha256)
        return self.visit(consultation_id)

    def add_addendum(self, consultation_id: str, text: str, name: str, actor: Actor) -> Visit:
        """Add to a signed note. Raises NotAllowed for a draft, UploadRejected for an empty text."""
        if actor.role not in SIGNERS:
            raise NotAllowed("Only a clinician may add to a signed note. Ask the doctor who saw the patient.")
        name = _one_line(name, "Your name is needed for an addendum, so nothing was added. Type it beside the button.")
        text = text.strip()
        if not text or len(text) > MAX_ADDENDUM_CHARS:
            raise UploadRejected(
                f"An addendum needs 1 to {MAX_ADDENDUM_CHARS:,} characters, so nothing was added. Write it first."
            )
        kept = self._store.get(consultation_id)
        self._store.add_addendum(kept, contract.addendum(Addendum(text, name, datetime.now(UTC))), actor)
        return self.visit(consultation_id)

    def discard(self, consultation_id: str, actor: Actor) -> None:
        """Remove an unsigned visit and its recording. Raises NothingFound, NotAllowed (signed)."""
        kept = self._store.get(consultation_id)
        self._store.discard(kept, actor)
        self._let_go(kept.audio_sha256)

    # -- within -----------------------------------------------------------------------------------------------------

    def _let_go(self, audio_sha256: str) -> None:
        """Delete a recording, unless another unsigned visit was made from the same bytes and still needs them."""
        if audio_sha256 and not self._store.needs_recording(audio_sha256):
            self._files.remove(audio_sha256)

    def _keep_new(
        self,
        made: Transcript,
        given: dict[str, str],
        patient_id: str,
        actor: Actor,
        detail: str,
        audio_sha256: str = "",
        audio_type: str = "",
    ) -> Visit:
        roles = self._roles(made, given)
        made = visit.with_roles(made, roles)
        if any(not one.given for one in roles):
            made = replace(made, models=(*made.models, self._shelf.chosen("speaker_roles").stamp))
        if patient_id and greets_another(made.utterances, self._patient_of(patient_id).name):
            made = replace(made, warnings=(*made.warnings, OTHER_NAME))
        self._store.add(
            made.consultation_id, patient_id, contract.transcript(made, roles), actor,
            f"{detail}: {len(made.utterances)} utterances", made.models[0], audio_sha256, audio_type,
        )  # fmt: skip
        return self.visit(made.consultation_id)

    def _roles(self, made: Transcript, given: dict[str, str]) -> tuple[SpeakerRole, ...]:
        said = [Said(one.speaker, one.text) for one in made.utterances]
        if all(one.speaker in given for one in said):
            return tuple(SpeakerRole(speaker, role, 1.0, True) for speaker, role in given.items())
        encoder_id, roles_id = self._shelf.chosen("text_encoder").id, self._shelf.chosen("speaker_roles").id
        with self._shelf.borrow(encoder_id) as encoder, self._shelf.borrow(roles_id) as heads:
            return name_speakers(said, encoder.encode_passages, heads, given)

    def _change(
        self, kept: KeptConsultation, changed: Transcript, roles: tuple[SpeakerRole, ...], actor: Actor, detail: str
    ) -> Visit:
        """Keep a changed transcript; a draft that there is already is made anew from it, in the same transaction."""
        before = _visit(kept)
        _refuse_signed(before)
        note = None
        if before.note is not None:
            note = contract.note(self._notes.drafted(replace(before, transcript=changed, roles=roles), silent))
        self._store.change(kept, actor, detail, transcript=contract.transcript(changed, roles), note=note)
        return self.visit(kept.consultation_id)


def _visit(kept: KeptConsultation) -> Visit:
    transcript, roles = contract.read_transcript(kept.transcript)
    note = contract.read_note(kept.note) if kept.note else None
    if note is not None:
        note = replace(note, addenda=tuple(contract.read_addendum(one) for one in kept.addenda))
    return Visit(transcript, roles, note, kept.patient_id, kept.created_at, bool(kept.audio_sha256))


def _summary(kept: KeptConsultation) -> ConsultationSummary:
    now = _visit(kept)
    signature = now.note.signature if now.note else None
    lines = now.note.lines if now.note else ()
    first = lines[0].text if lines else " ".join(one.text for one in now.transcript.utterances[:3])
    return ConsultationSummary(
        consultation_id=kept.consultation_id,
        patient_id=kept.patient_id,
        created_at=kept.created_at,
        status=now.note.status if now.note else NoteStatus.TRANSCRIPT,
        title=first if len(first) <= TITLE_CHARS else first[: TITLE_CHARS - 1] + "…",
        duration_s=now.transcript.duration_s,
        utterances=len(now.transcript.utterances),
        signed_at=signature.at if signature else None,
        signed_by=signature.name if signature else "",
        recording=bool(kept.audio_sha256),
    )


def _refuse_signed(now: Visit) -> None:
    if now.note is not None and now.note.signature is not None:
        raise NotAllowed("This note is signed, so it cannot be changed any more. Write an addendum instead.")


def _one_line(name: str, refusal: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise UploadRejected(refusal)
    return name
