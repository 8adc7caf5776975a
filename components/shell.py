"""The frame of the page: brand, notice, patient, and the tabs in the order of a visit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import patient_picker
from components.bridge import RunningJobs
from components.part import part
from domain.people import Mode

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

TITLE = "HEALTH CONNECT"
# A cross whose arm is a pulse line; decorative, the name stands beside it.
BRAND = """
<header class="hc-part hc-header">
  <a class="hc-skip" href="#hc-tabs" onclick="HealthConnect.skip(event)">Skip to the content of the tab</a>
  <h1 class="hc-brand">
    <svg viewBox="0 0 48 48" aria-hidden="true"><rect x="2" y="2" width="44" height="44" rx="12" fill="#0b5f63"/>
    <path d="M7 26h9l4-12 7 21 5-15 3 6h6" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round"
    stroke-linejoin="round"/></svg>HEALTH CONNECT</h1>
  <p class="hc-notice"><b>Research demonstration, not a medical device.</b>
  It misreads. Check every line against the original, and do not use it to treat anyone.</p>
  <span id="hc-who" class="hc-who"></span>
  <button type="button" class="hc-button hc-small" id="hc-clothes" aria-label="Light or dark colours"
    title="Light or dark colours" onclick="HealthConnect.changeClothes()">◐</button>
</header>
"""


@dataclass(frozen=True, slots=True)
class Session:
    """What the tabs share during one visit.

    `patient_id`: "" while none is chosen. `wanted`: the record and page that the Records tab shall open, made by
    want(); setting it is how another tab opens a record. `filed`: a tab that changed what is kept of a patient sets it
    to changed(), and the header looks again. `tab_ids`: those that a link may name.
    """

    patient_id: gr.State
    wanted: gr.State
    filed: gr.State
    tabs: gr.Tabs
    tab_ids: tuple[str, ...]
    jobs: RunningJobs = field(default_factory=RunningJobs)

    @staticmethod
    def want(document_id: str, page: int, boxes: Sequence[Sequence[float]] = (), stay: bool = False) -> dict[str, Any]:
        """A wish for `wanted`. Wishing for the same page again counts as new, so that it opens again.

        `stay`: on the tab that is shown; else the Records tab comes to the front.
        """
        boxes_plain = [list(box) for box in boxes]
        wish = uuid.uuid4().hex
        return {"document_id": document_id, "page": page, "boxes": boxes_plain, "stay": stay, "wish": wish}

    @staticmethod
    def changed() -> str:
        """A new value for `filed`."""
        return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its name, a stable id for links, and what lays it out."""

    name: str
    id: str
    build: Callable[[Workbench, Session], Any]
    jobs: tuple[str, ...] = ()  # where people sign in, the tab is shown to those who may do one of these


def build(workbench: Workbench, tabs: Sequence[Tab]) -> Session:
    """Lays the whole page out inside the current Blocks."""
    gr.HTML(BRAND, apply_default_css=False, js_on_load=None)
    patient_id = gr.State("")
    wanted = gr.State(None)
    filed = gr.State("")
    picker = gr.Column(elem_classes="hc-sticky")
    # "wrap" keeps every tab in the one row, which tabs.js lets scroll; "menu" would hide some behind three dots.
    with gr.Tabs(elem_id="hc-tabs", selected=tabs[0].id, overflow_behavior="wrap") as rows:
        session = Session(patient_id, wanted, filed, rows, tuple(tab.id for tab in tabs))
        for tab in tabs:
            with gr.Tab(tab.name, id=tab.id, elem_id=f"hc-tab-{tab.id}"):
                tab.build(workbench, session)
    if workbench.settings.mode is Mode.CLINIC:
        # Gradio takes the panel of an invisible tab away and leaves its button, so our own script hides both.
        rights = part("tab_rights")

        def closed_tabs(chosen: str) -> dict[str, Any]:
            """Broken glass opens some tabs, for one patient."""
            closed = [tab.id for tab in tabs if tab.jobs and not any(workbench.may(job, chosen) for job in tab.jobs)]
            return {"closed": closed}

        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        gr.on(None, closed_tabs, patient_id, rights, **quiet)
        gr.on([patient_id.change, filed.change], closed_tabs, patient_id, rights, **quiet)
    with picker:
        patient_picker.build(workbench, session)
    return session
