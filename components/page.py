"""The whole page as one Blocks, and the options it is served with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware

from components import (
    chart_endpoints,
    chart_tab,
    consultation_endpoints,
    consultation_tab,
    endpoints,
    imaging_endpoints,
    imaging_tab,
    models_tab,
    people_endpoints,
    prescription_endpoints,
    prescription_tab,
    records_tab,
    search_tab,
    shell,
    theme,
    trail_tab,
)
from components.chart_files import chart_routes
from components.consultation_files import consultation_routes
from components.gate import Gate, sign_in_routes
from components.imaging_files import reading_routes
from components.page_files import record_routes

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

# In the order of a visit; a tab stands here when its job works.
TABS: tuple[shell.Tab, ...] = (
    shell.Tab("Records", "records", records_tab.build, ("documents",)),
    shell.Tab("Find", "find", search_tab.build, ("search",)),
    shell.Tab(imaging_tab.TAB, "imaging", imaging_tab.build, ("read_scan", "imaging.feedback_csv")),
    shell.Tab(consultation_tab.TAB, "consultation", consultation_tab.build, ("consultations.import_transcript",)),
    shell.Tab(prescription_tab.TAB, "prescription", prescription_tab.build, ("prescriptions.verify",)),
    shell.Tab(chart_tab.TAB, "chart", chart_tab.build, ("charts.chart",)),
    shell.Tab(trail_tab.TAB, "trail", trail_tab.build, ("trail", "people.break_glass")),
    shell.Tab("Models", "models", models_tab.build),
)
MAX_WAITING = 64  # jobs in the queue before new ones are refused
SWEEP_SECONDS = 600


def build_page(workbench: Workbench, upload_age_hours: float, tabs: Sequence[shell.Tab] = TABS) -> gr.Blocks:
    """Every tab and every named endpoint. Uploads older than `upload_age_hours` are deleted."""
    with gr.Blocks(
        title=shell.TITLE,
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(SWEEP_SECONDS, round(upload_age_hours * 3600)),
    ) as page:
        shell.build(workbench, tabs)
        endpoints.build(workbench)
        people_endpoints.build(workbench)
        prescription_endpoints.build(workbench)
        imaging_endpoints.build(workbench)
        chart_endpoints.build(workbench)
        consultation_endpoints.build(workbench)
    page.queue(max_size=MAX_WAITING, api_open=False)
    return page


def launch_options(workbench: Workbench, bench: Workbench) -> dict[str, Any]:
    """What Blocks.launch is given. Gradio's own defaults that would leak are off: run history, monitoring, sharing.

    `workbench`: what the page was built with, a door; `bench`: what stands behind it, for the gate.
    """
    settings = bench.settings
    return {
        "server_name": settings.server_name,
        "server_port": settings.server_port,
        "theme": theme.theme(),
        "css": theme.page_css(),
        "head": theme.page_head(),
        "footer_links": ["api"],
        "show_error": False,
        "share": False,
        "_frontend": False,  # else Gradio ends the program where its own first page takes longer than three seconds
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": True,
        "ssr_mode": False,
        "pwa": False,
        "allowed_paths": [],
        "max_file_size": settings.max_bytes,
        "app_kwargs": {
            "routes": [
                *sign_in_routes(bench),
                *record_routes(workbench),
                *reading_routes(workbench),
                *consultation_routes(workbench),
                *chart_routes(workbench),
                *prescription_endpoints.key_routes(workbench),
            ],
            "middleware": [Middleware(Gate, workbench=bench)],
        },
    }
