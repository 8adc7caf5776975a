"""The Find tab: a symptom in anybody's words, and the places in the records that speak of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import hit_cards, page_view
from components.bridge import told, visitor
from components.part import part
from domain.errors import NotAllowed

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import Workbench

LOOKED_AT = 30  # hits that are asked for, so that denials, which rank last, are among them
MAX_QUERY_CHARS = 500
EXAMPLES = (
    "can't catch my breath lying flat",
    "swollen ankles",
    "chest pain",
    "allergic to penicillin",
    "high potassium",
)
EVERYBODY, THIS_PATIENT = "All patients", "The chosen patient"
KINDS = [  # what a record can be, as pipelines.understanding names it
    ("Discharge letter", "discharge_letter"),
    ("Clinic letter", "clinic_letter"),
    ("Lab report", "lab_report"),
    ("Imaging report", "imaging_report"),
    ("Note", "note"),
    ("Referral", "referral"),
    ("Prescription", "prescription"),
    ("Consent", "consent"),
    ("Other", "other"),
]
FIRST_SIGHT = {
    "title": "Search by symptom or finding",
    "message": "Write it as the patient says it or as a clinician would: both find the same pages.",
    "hits": [],
}

FIRST_SEARCH = {
    "title": "Searching",
    "message": "The first search after a start loads the model of meaning, which takes some seconds; later ones are "
    "instant.",
    "hits": [],
}


def read_date(text: str | None, name: str) -> date | None:
    """A day from a filter field; empty is no bound. Raises NotAllowed with what to type."""
    text = (text or "").strip()  # a field inside a closed drawer comes as None
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotAllowed(
            f"The field “{name}” does not hold a date. Write it as year-month-day, such as 2026-11-24, or empty it."
        ) from error


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    with gr.Row(elem_classes="hc-query-row", equal_height=False):
        query = gr.Textbox(
            label="Symptom or finding",
            placeholder=EXAMPLES[0],
            max_length=MAX_QUERY_CHARS,
            scale=5,
            min_width=280,
            elem_id="hc-query",
        )
        find = gr.Button("Find", variant="primary", scale=1, min_width=110, elem_id="hc-find")
    with gr.Row(elem_classes="hc-example-row"):
        examples = [gr.Button(example, size="sm", min_width=110) for example in EXAMPLES]
    scope = gr.Radio([EVERYBODY, THIS_PATIENT], value=EVERYBODY, label="In the records of", elem_id="hc-scope")
    with gr.Accordion("Narrow it down", open=False), gr.Row():
        kinds = gr.Dropdown(KINDS, value=[], multiselect=True, label="Kind of record", min_width=180)
        since = gr.Textbox(label="From date", placeholder="2026-01-31", max_length=10, min_width=130)
        until = gr.Textbox(label="To date", placeholder="2026-11-24", max_length=10, min_width=130)
    hits = part("hits", events=("open",), value=FIRST_SIGHT)
    encoders = frozenset(card.id for card in workbench.model_cards() if card.task == "text_encoder")

    def on_find(
        query: str | None,
        scope: str,
        kinds: list[str] | None,
        since: str | None,
        until: str | None,
        patient_id: str,
        request: gr.Request,
    ) -> Iterator[dict[str, Any]]:
        if not (query or "").strip():
            yield FIRST_SIGHT
            return
        if scope == THIS_PATIENT and not patient_id:
            raise NotAllowed(
                "No patient is chosen, so there is nobody to narrow the search to. Choose a patient above, or search "
                "all patients."
            )
        if not encoders & workbench.models_loaded():
            yield FIRST_SEARCH
        answer = workbench.search(
            query,
            visitor(request),
            patient_id=patient_id if scope == THIS_PATIENT else "",
            limit=LOOKED_AT,
            kinds=tuple(kinds or ()),
            since=read_date(since, "From date"),
            until=read_date(until, "To date"),
        )
        if not answer.hits:
            yield hit_cards.present_no_hits(answer.message)
            return
        hits = hit_cards.choose(answer.hits)
        documents = {h.passage.document_id: workbench.document(h.passage.document_id) for h in hits}
        owners = {document.patient_id for document in documents.values() if document.patient_id}
        names = {owner: workbench.patient(owner).name for owner in owners}
        yield hit_cards.present_hits(hits, documents, names, answer.took_ms, answer.taken_for)

    def on_open(event: gr.EventData) -> dict[str, Any]:
        return session.want(str(event.document_id), int(event.page), page_view.boxes_from(event.boxes))

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [query, scope, kinds, since, until, session.patient_id]
    gr.on([find.click, query.submit], told(on_find), asked, [hits], trigger_mode="always_last", **quiet)
    for button, example in zip(examples, EXAMPLES, strict=True):
        filled = button.click(lambda example=example: example, None, [query], queue=False, **quiet)
        filled.then(told(on_find), asked, [hits], **quiet)
    hits.open(told(on_open), None, [session.wanted], **quiet)
