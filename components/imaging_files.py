"""Pictures of readings, served straight from the store: no copy in a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.bridge import message_of
from components.page_files import KEEP_PRIVATE
from domain.errors import NotAllowed, NothingFound

if TYPE_CHECKING:
    from pipelines.workbench import Workbench


def reading_routes(workbench: Workbench) -> list[Route]:
    """Addresses that components.imaging_view.picture_path names."""

    async def picture(request: Request) -> Response:
        return await run_in_threadpool(_send, workbench, request.path_params["reading_id"], False)

    async def overlay(request: Request) -> Response:
        return await run_in_threadpool(_send, workbench, request.path_params["reading_id"], True)

    return [Route("/readings/{reading_id}/picture.png", picture), Route("/readings/{reading_id}/overlay.png", overlay)]


def _send(workbench: Workbench, reading_id: str, overlay: bool) -> Response:
    try:
        path = workbench.imaging.overlay(reading_id) if overlay else workbench.imaging.picture(reading_id)
    except Exception as error:
        status = 404 if isinstance(error, NothingFound) else 403 if isinstance(error, NotAllowed) else 500
        return PlainTextResponse(message_of(error), status_code=status)
    return FileResponse(path, media_type="image/png", headers=KEEP_PRIVATE)
