"""The note desk: drafts the note of a visit with the models in use, and takes a person's lines into it.

It keeps nothing: a visit goes in, its note comes out. Whatever it lets through has passed the guard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from domain.consultation import ConsultationNote, NoteLine, RecordPlace
from domain.errors import UploadRejected
from models.shelf import ModelShelf
from pipelines import note_lines
from pipelines.consultation import Visit
from pipelines.drug_names import find_drugs
from pipelines.note_guard import guard
from pipelines.progress import Progress, silent

NO_WRITER = "writer-none"

FindRecords = Callable[[str, str], Sequence[RecordPlace]]
"""Pages of a patient's records (second argument: patient id) that say what a line says."""


class NoteDesk:
    """Safe to call from several threads."""

    def __init__(self, shelf: ModelShelf, find_records: FindRecords, sex_of: Callable[[str], str]) -> None:
        """`sex_of`: of a patient, by id."""
        self._shelf, self._find_records, self._sex_of = shelf, find_records, sex_of

    def drafted(self, now: Visit, progress: Progress = silent) -> ConsultationNote:
        """The machine's lines that the guard lets pass, and the person's own lines."""
        card, writer = self._shelf.chosen("note"), self._shelf.chosen("note_writer")
        sex = self._sex_of(now.patient_id) if now.patient_id else ""
        encoder_id = self._shelf.chosen("text_encoder").id
        with self._shelf.borrow(encoder_id, progress) as encoder, self._shelf.borrow(card.id, progress) as heads:
            progress(0, 1, "notes", "Choosing what belongs into the note")
            made = note_lines.draft_lines(now.transcript.utterances, encoder.encode_passages, heads, sex)
        made, own_words = self._rewritten(made, now.said, progress)
        own = tuple(line for line in now.note.lines if line.by_person) if now.note else ()
        kept, held_back = guard((*made, *own), now.said, drugs_in)
        return ConsultationNote(
            consultation_id=now.transcript.consultation_id,
            lines=self._with_records(note_lines.in_order(kept), now.patient_id),
            unsupported=(*own_words, *held_back),
            models=(card.stamp, *((writer.stamp,) if writer.id != NO_WRITER else ())),
            revision=now.note.revision + 1 if now.note else 1,
        )

    def edited(self, now: Visit, lines: Sequence[NoteLine]) -> ConsultationNote:
        """The note with a person's lines: one that no engine wrote is the person's, and is warned about, not moved.

        Raises UploadRejected for a line whose evidence is not in the transcript.
        """
        said = now.said
        if any(one not in said for line in lines for one in line.evidence):
            raise UploadRejected(
                "A line names an utterance that is not in this transcript, so nothing was changed. Use the ids of the "
                "transcript as evidence, or leave the evidence empty."
            )
        before = {(line.text, line.evidence): line for line in now.note.lines} if now.note else {}
        merged = []
        for line in lines:
            known = before.get((line.text, line.evidence))
            if known is None:
                merged.append(replace(line, by_person=True, records=()))
            else:
                merged.append(replace(known, section=line.section, topic=line.topic or known.topic))
        kept, held_back = guard(merged, said, drugs_in)
        base = now.note or ConsultationNote(now.transcript.consultation_id, ())
        return replace(
            base,
            lines=kept,
            unsupported=(*base.unsupported, *held_back),
            revision=base.revision + (now.note is not None),
        )

    def _rewritten(
        self, lines: Sequence[NoteLine], said: Mapping[str, str], progress: Progress
    ) -> tuple[tuple[NoteLine, ...], tuple[NoteLine, ...]]:
        """The lines in the chosen writer's words, and those words of its that the guard refused: there the drafted line
        stays."""
        card = self._shelf.chosen("note_writer")
        if card.id == NO_WRITER or not lines:
            return tuple(lines), ()
        with self._shelf.borrow(card.id, progress) as writer:
            progress(0, 1, "notes", f"{card.title} rewrites the lines")
            texts = writer.rewrite([line.text for line in lines])
        proposed = [replace(line, text=" ".join(text.split())) for line, text in zip(lines, texts, strict=True)]
        checked = [guard([line], said, drugs_in) for line in proposed]
        stays = tuple(kept[0] if kept else line for line, (kept, _) in zip(lines, checked, strict=True))
        return stays, tuple(refused[0] for _, refused in checked if refused)

    def _with_records(self, lines: tuple[NoteLine, ...], patient_id: str) -> tuple[NoteLine, ...]:
        if not patient_id:
            return lines
        return tuple(replace(line, records=tuple(self._find_records(line.text, patient_id))) for line in lines)


def drugs_in(words: Sequence[str]) -> dict[str, str]:
    """Medicines named in a run of words: canonical name to the words that name it."""
    return {drug.ingredient: " ".join(words[drug.start : drug.end]).lower() for drug in find_drugs(words)}
