"""Files records without end until it is killed. Run by test_kill; says one letter on stdout after every step."""

from __future__ import annotations

import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from domain.audit import Action, Actor
from domain.document import Box, OcrDocument, OcrPage, PageSource, TextLine, TextWord
from domain.models import ModelStamp
from storage import audit, documents
from storage.database import Database
from storage.documents import Filing
from storage.files import FileStore

PAGES = 3


def page(number: int) -> OcrPage:
    words = tuple(TextWord.upright(f"word{i}", 0.5, Box(i, 0, i + 1, 5)) for i in range(200))
    return OcrPage(number, 900, 900, 150.0, 0, 0.0, PageSource.OCR, (TextLine(words),))


def main(data_dir: Path) -> None:
    database, files = Database(f"sqlite:///{data_dir / 'records.sqlite'}"), FileStore(data_dir / "files")

    def step() -> None:
        os.write(1, b".")

    while True:
        document_id = uuid.uuid4().hex
        sha256 = files.keep_bytes(document_id.encode() * 5000)
        step()
        read = tuple(page(number) for number in range(1, PAGES + 1))
        document = OcrDocument(document_id, "", "Letter", read, ModelStamp("m", "1"), datetime.now(UTC))
        with database.begin() as tx:
            step()
            documents.file(tx, document, Filing(sha256, "", sha256))
            step()
            audit.append(tx, Actor("n", "s", "nurse"), Action.CREATE, f"DocumentReference/{document_id}")
            step()
        step()
        with database.begin() as tx:
            documents.mark_indexed(tx, document_id, 1)
        step()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
