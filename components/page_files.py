"""Pictures of pages and searchable PDFs, served straight from the store: no copy in a cache, and a PDF that a link can
open at a page (`#page=N`)."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.bridge import message_of
from domain.audit import Actor
from domain.errors import NothingFound

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

log = logging.getLogger(__name__)

PICTURE_WIDTH_PX = 1600  # enough to read small print on a wide screen; the original stays in the store
JPEG_QUALITY = 82
# A page's picture never changes, but it is a patient's: only this browser may keep it, and not for long.
KEEP_PRIVATE = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
FRESH_PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
VISITOR = Actor(who="visitor", session="", role="clinician")


def page_picture_path(document_id: str, page: int) -> str:
    """Relative address of a page's picture."""
    return f"records/{quote(document_id, safe='')}/pages/{page}.jpg"


def pdf_path(document_id: str, revision: int, download: bool = False) -> str:
    """Relative address of the searchable PDF; the revision keeps a browser from showing an older text layer."""
    wish = "&download=1" if download else ""
    return f"records/{quote(document_id, safe='')}/record.pdf?revision={revision}{wish}"


def record_routes(workbench: Workbench) -> list[Route]:
    """The two addresses above, to be given to the server before Gradio's own."""

    async def picture(request: Request) -> Response:
        return await run_in_threadpool(_picture, workbench, request)

    async def pdf(request: Request) -> Response:
        return await run_in_threadpool(_pdf, workbench, request)

    return [
        Route("/records/{document_id}/pages/{page:int}.jpg", picture),
        Route("/records/{document_id}/record.pdf", pdf),
    ]


def file_name(title: str) -> str:
    """A harmless file name from a record's title."""
    return (re.sub(r"[^\w.-]+", "-", title).strip("-._") or "record")[:80] + ".pdf"


def _picture(workbench: Workbench, request: Request) -> Response:
    from PIL import Image  # here, because the page itself starts without it

    try:
        pixels = workbench.page_picture(request.path_params["document_id"], request.path_params["page"])
    except Exception as error:
        return _refusal(error)
    picture = Image.fromarray(pixels)
    if picture.width > PICTURE_WIDTH_PX:
        picture = picture.resize((PICTURE_WIDTH_PX, max(1, round(picture.height * PICTURE_WIDTH_PX / picture.width))))
    packed = io.BytesIO()
    picture.save(packed, format="JPEG", quality=JPEG_QUALITY)
    return Response(packed.getvalue(), media_type="image/jpeg", headers=KEEP_PRIVATE)


def _pdf(workbench: Workbench, request: Request) -> Response:
    document_id = request.path_params["document_id"]
    try:
        title = workbench.document(document_id).title
        path = workbench.searchable_pdf(document_id)
    except Exception as error:
        return _refusal(error)
    how = "attachment" if request.query_params.get("download") else "inline"
    return FileResponse(
        path,
        media_type="application/pdf",
        filename=file_name(title),
        content_disposition_type=how,
        headers=FRESH_PRIVATE,
    )


def _refusal(error: Exception) -> Response:
    status = 404 if isinstance(error, NothingFound) else 500
    return PlainTextResponse(message_of(error), status_code=status)
