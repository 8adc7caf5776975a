"""A chart goes from one house to another with its pages, and there they are read, found and shown like any other."""

from __future__ import annotations

import base64
import json
import os
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from domain.audit import Actor
from domain.chart import SourceKind
from domain.settings import Settings
from pipelines.workbench import Workbench

pytestmark = pytest.mark.models
BORN = "1961-03-12"


def test_a_page_sent_along_is_read_found_and_kept(settings: Settings, nurse: Actor, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there_settings = settings.model_copy(update={"data_dir": tmp_path / "there"})
    sent = tmp_path / "chart.json"
    with closing(Workbench(settings)) as here, closing(Workbench(there_settings)) as there:
        ada = here.create_patient("Ada Example", BORN, "female", "77", nurse)
        text = "Ramipril 5 mg once daily\nPotassium 5.9 mmol/L (3.5-5.1)\nShe reports orthopnoea."
        here.import_text("Letter", text, ada.patient_id, nurse, "clinic_letter", date(2026, 5, 1))
        here.charts.export(ada.patient_id, sent, nurse)
        came = there.charts.import_bundle(sent, "", nurse)
        own = came.chart.patient.patient_id
        assert (came.filed, came.held, came.refused) == (1, 0, ())
        (item,) = [one for one in came.chart.timeline if one.source.kind is SourceKind.RECORD]
        assert (item.at, item.source.title) == (date(2026, 5, 1), "Letter")
        assert [hit.passage.document_id for hit in there.search("orthopnoea", nurse, own).hits] == [item.source.id]
        assert [series.last.said.text for series in came.chart.series] == ["5.9"]
        assert came.chart.series[0].last.said.source.boxes, "its value is shown on the page"
        for file in (there_settings.data_dir / "files").glob("??/*"):
            os.utime(file, (0, 0))
        there.recover()  # as at the next start: nothing of it is swept away
        again = tmp_path / "again.json"
        there.charts.export(own, again, nurse)

    def documents(path: Path) -> list[dict]:
        entries = json.loads(path.read_bytes())["entry"]
        return [one["resource"] for one in entries if one["resource"]["resourceType"] == "DocumentReference"]

    assert documents(again) == documents(sent), "once, and word for word"


def test_a_text_that_names_somebody_else_waits_for_a_person(settings: Settings, nurse: Actor, tmp_path: Path) -> None:
    def attachment(text: bytes) -> dict:
        carried = {"contentType": "text/plain", "data": base64.b64encode(text).decode()}
        return {
            "resource": {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": carried}]}
        }

    person = {"resourceType": "Patient", "name": [{"text": "Ada Example"}], "birthDate": BORN}
    letters = (b"Patient: Bela Other\nDate of birth: 01/02/1980\nAsthma.", b"Ramipril 5 mg daily.", b"\xff\xfe\x00")
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": person}, *map(attachment, letters)],
    }
    file = tmp_path / "in.json"
    file.write_text(json.dumps(bundle))
    with closing(Workbench(settings)) as bench:
        came = bench.charts.import_bundle(file, "", nurse)
        assert (came.filed, came.held, len(came.refused)) == (1, 1, 1)
        assert [one.name for one in came.chart.medicines] == ["Ramipril"]
        (waiting,) = bench.documents("")
        assert waiting.patient_id == ""
