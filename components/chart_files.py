"""The summary before the visit as a PDF, and the whole chart as FHIR, served as files that no cache keeps."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.bridge import message_of
from domain.audit import Actor
from domain.errors import HealthConnectError, NothingFound

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

FRESH_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
VISITOR = Actor(who="visitor", session="", role="clinician")  # the door puts whoever asks in its place


def summary_path(patient_id: str) -> str:
    """Relative address of the summary before the visit."""
    return f"charts/{quote(patient_id, safe='')}/summary.pdf"


def bundle_path(patient_id: str) -> str:
    """Relative address of the chart as FHIR."""
    return f"charts/{quote(patient_id, safe='')}/fhir"


def new_file(name: str, by: Any) -> Path:
    """A path in the folder that is swept by age. `name` says nothing of the patient; `by`: a file component."""
    Path(by.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=by.GRADIO_CACHE)) / name
    by.temp_files.add(str(path))  # Gradio deletes by age what a component calls its own
    return path


def with_ending(made: Path, by: Any) -> Path:
    """The file of a chart, named by what it turned out to be: one bundle, or a ZIP of several."""
    named = made.with_suffix(".fhir.zip" if zipfile.is_zipfile(made) else ".fhir.json")
    made.replace(named)
    by.temp_files.add(str(named))
    return named


def chart_routes(workbench: Workbench) -> list[Route]:
    """The two addresses above, to be given to the server before Gradio's own."""

    def summary_of(request: Request) -> Response:
        try:
            made = workbench.charts.print_summary(request.path_params["patient_id"], VISITOR)
        except Exception as error:
            return _refusal(error)
        handed_out = {"Content-Disposition": 'inline; filename="summary.pdf"'}
        return Response(made, media_type="application/pdf", headers=FRESH_PRIVATE | handed_out)

    def bundle_of(request: Request) -> Response:
        folder = tempfile.TemporaryDirectory(prefix="chart-")
        made = Path(folder.name) / "chart"
        try:
            workbench.charts.export(request.path_params["patient_id"], made, VISITOR)
        except Exception as error:
            folder.cleanup()
            return _refusal(error)
        packed = zipfile.is_zipfile(made)
        return FileResponse(
            made,
            media_type="application/zip" if packed else "application/fhir+json",
            filename="chart.fhir.zip" if packed else "chart.fhir.json",
            headers=FRESH_PRIVATE,
            background=BackgroundTask(folder.cleanup),
        )

    async def summary(request: Request) -> Response:
        return await run_in_threadpool(summary_of, request)

    async def bundle(request: Request) -> Response:
        return await run_in_threadpool(bundle_of, request)

    return [Route("/charts/{patient_id}/summary.pdf", summary), Route("/charts/{patient_id}/fhir", bundle)]


def _refusal(error: Exception) -> Response:
    known = 404 if isinstance(error, NothingFound) else 400
    return PlainTextResponse(message_of(error), status_code=known if isinstance(error, HealthConnectError) else 500)
