"""The recording of a visit, and its note as a file, served straight from the store: no copy stays in a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.bridge import message_of
from domain.errors import HealthConnectError, NothingFound

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

FRESH_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def recording_path(consultation_id: str) -> str:
    """Relative address of a visit's recording; a player may ask for a part of it."""
    return f"consultations/{quote(consultation_id, safe='')}/recording"


def export_path(consultation_id: str, kind: str) -> str:
    """Relative address of a visit's note or transcript as a file; `?template=` chooses its shape."""
    return f"consultations/{quote(consultation_id, safe='')}/export/{quote(kind, safe='')}"


def consultation_routes(workbench: Workbench) -> list[Route]:
    """The two addresses above, to be given to the server before Gradio's own."""

    def recording_of(request: Request) -> Response:
        try:
            kept = workbench.consultations.recording(request.path_params["consultation_id"])
        except Exception as error:
            return _refusal(error)
        return FileResponse(kept.path, media_type=kept.media_type, headers=FRESH_PRIVATE)

    def export_of(request: Request) -> Response:
        template = request.query_params.get("template") or "soap"
        try:
            made = workbench.consultations.export(
                request.path_params["consultation_id"], request.path_params["kind"], template
            )
        except Exception as error:
            return _refusal(error)
        handed_out = {"Content-Disposition": f'attachment; filename="{made.name}"'}
        return Response(made.content, media_type=made.media_type, headers=FRESH_PRIVATE | handed_out)

    async def recording(request: Request) -> Response:
        return await run_in_threadpool(recording_of, request)

    async def export(request: Request) -> Response:
        return await run_in_threadpool(export_of, request)

    return [
        Route("/consultations/{consultation_id}/recording", recording),
        Route("/consultations/{consultation_id}/export/{kind}", export),
    ]


def _refusal(error: Exception) -> Response:
    known = 404 if isinstance(error, NothingFound) else 400
    return PlainTextResponse(message_of(error), status_code=known if isinstance(error, HealthConnectError) else 500)
