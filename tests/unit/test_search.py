"""Finding by symptom, with the real encoder over a handful of short records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from domain.audit import Actor
from domain.errors import NothingFound, UploadRejected
from domain.settings import load_settings
from pipelines.search import matched_word_indices
from pipelines.workbench import Workbench

RECORDS = {
    "heart": "Seen in the heart failure clinic. Orthopnoea: sleeps on three pillows. Bilateral ankle oedema. No chest pain.",
    "chest": "Crushing central chest pain radiating to the left arm for two hours, with sweating. ECG shows ST elevation.",
    "skin": "Itchy erythematous rash over both forearms since changing soap. No fever.",
    "stomach": "Epigastric pain after meals with acid reflux. Started omeprazole 20 mg once daily. Denies melaena.",
    "head": "Unilateral throbbing headache with photophobia and nausea, typical of migraine. No weakness.",
    "knee": "Painful swollen right knee after a fall. Radiograph shows no fracture. Advised physiotherapy.",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEALTH_CONNECT_DATA_DIR", str(tmp_path_factory.mktemp("search")))
        bench = Workbench(load_settings())
    actor = Actor("nurse", "s", "nurse")
    ada = bench.create_patient("Ada Example", "1961-03-12", "female", "", actor)
    for number, (title, text) in enumerate(RECORDS.items()):
        owner = ada.patient_id if title in ("heart", "skin") else ""
        bench.import_text(title, text, owner, actor, document_date=date(2024, 1, 1 + number))
    yield bench
    bench.close()


def titles(bench: Workbench, query: str, **filters) -> list[str]:  # type: ignore[no-untyped-def]
    hits = bench.search(query, Actor("nurse", "s", "nurse"), **filters).hits
    return [bench.document(hit.passage.document_id).title for hit in hits]


@pytest.mark.models
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("can't catch my breath lying flat", "heart"),
        ("ankles puffed up", "heart"),
        ("heavy crushing feeling in the chest", "chest"),
        ("itching arms", "skin"),
        ("heartburn after eating", "stomach"),
        ("omeprazole", "stomach"),
        ("pounding head and light hurts my eyes", "head"),
        ("hurt knee", "knee"),
    ],
)
def test_lay_words_find_clinical_ones(bench: Workbench, query: str, expected: str) -> None:
    assert titles(bench, query)[0] == expected


@pytest.mark.models
def test_a_hit_says_whether_it_names_what_was_asked(bench: Workbench) -> None:
    named = {
        bench.document(hit.passage.document_id).title: hit.named
        for hit in bench.search("can't catch my breath lying flat", Actor("nurse", "s", "nurse")).hits
    }
    assert named.pop("heart")
    assert named
    assert not any(named.values()), "others are like it in words or meaning only"


@pytest.mark.models
def test_where_no_finding_is_asked_for_a_hit_names_it_by_a_word(bench: Workbench) -> None:
    named = {
        bench.document(hit.passage.document_id).title: hit.named
        for hit in bench.search("radiograph", Actor("nurse", "s", "nurse")).hits
    }
    assert len(named) > 1
    assert [title for title, does in named.items() if does] == ["knee"]


@pytest.mark.models
def test_a_denial_stands_below_an_assertion_and_says_so(bench: Workbench) -> None:
    hits = bench.search("chest pain", Actor("nurse", "s", "nurse")).hits
    by_title = {bench.document(hit.passage.document_id).title: hit for hit in hits}
    assert titles(bench, "chest pain")[0] == "chest"
    assert by_title["heart"].negated
    assert not by_title["chest"].negated


@pytest.mark.models
@pytest.mark.parametrize(
    "query", ["nearest petrol station", "qqq zzz wxyz", "football league table", "apple pie recipe"]
)
def test_nonsense_finds_nothing_and_says_why(bench: Workbench, query: str) -> None:
    answer = bench.search(query, Actor("nurse", "s", "nurse"))
    assert answer.hits == ()
    assert "Nothing" in answer.message


@pytest.mark.models
def test_filters_narrow_the_search(bench: Workbench) -> None:
    (ada,) = bench.find_patients("Ada")
    assert set(titles(bench, "chest pain or rash", patient_id=ada.patient_id)) <= {"heart", "skin"}
    assert titles(bench, "chest pain", since=date(2024, 1, 3), until=date(2024, 1, 4)) != []
    assert "chest" not in titles(bench, "chest pain", since=date(2024, 1, 3))


@pytest.mark.models
def test_a_hit_lights_the_words_that_answer_and_gives_its_ranks(bench: Workbench) -> None:
    hit = bench.search("ankles puffed up", Actor("nurse", "s", "nurse")).hits[0]
    assert "oedema." in hit.matched_terms
    assert len(hit.boxes) == len(hit.matched_terms)
    assert hit.semantic_rank in (1, 2)
    assert 0 <= hit.score <= 1


@pytest.mark.models
@pytest.mark.parametrize(("query", "limit"), [("", 10), ("   ", 10), ("x" * 5000, 10), ("pain", 0), ("pain", 1000)])
def test_what_is_no_search_is_refused(bench: Workbench, query: str, limit: int) -> None:
    with pytest.raises(UploadRejected):
        bench.search(query, Actor("nurse", "s", "nurse"), limit=limit)


@pytest.mark.models
def test_an_unknown_patient_is_said_to_be_unknown(bench: Workbench) -> None:
    with pytest.raises(NothingFound):
        bench.search("pain", Actor("nurse", "s", "nurse"), patient_id="nobody")


@pytest.mark.models
def test_hostile_queries_are_only_text(bench: Workbench) -> None:
    for query in ("<script>alert(1)</script>", "'; DROP TABLE patients; --", "\x00pain", "痛み", "💊" * 50):
        assert isinstance(bench.search(query, Actor("nurse", "s", "nurse")).message, str)


@pytest.mark.models
def test_a_correction_and_a_move_are_followed_by_the_index(bench: Workbench) -> None:
    actor = Actor("nurse", "s", "nurse")
    record = bench.import_text("typo", "Complains of vertlgo since Monday.", "", actor)
    place = [word.text for word in record.pages[0].words].index("vertlgo")
    mended = bench.correct_word(record.document_id, 1, place, "vertigo", actor)
    assert mended.revision == 2
    assert titles(bench, "vertigo")[0] == "typo"
    (ada,) = bench.find_patients("Ada")
    bench.file_document(record.document_id, ada.patient_id, actor)
    assert titles(bench, "vertigo", patient_id=ada.patient_id)[0] == "typo"


@pytest.mark.models
def test_what_a_crash_left_out_of_the_index_is_put_in_when_it_is_opened(bench: Workbench) -> None:
    from storage.tables import documents as table

    with bench.database.begin() as tx:
        tx.execute(table.update().where(table.c.title == "knee").values(indexed_revision=0))
    (knee,) = [d for d in bench.documents() if d.title == "knee"]
    bench.search_desk.index().remove_document(knee.document_id)
    again = Workbench(bench.settings)
    assert titles(again, "hurt knee")[0] == "knee"
    again.close()


@pytest.mark.models
def test_the_only_record_of_a_small_store_is_found_by_what_it_names(data_dir: Path, nurse: Actor) -> None:
    """Cosine is low against a sentence full of a name and a date; that the asked symptom stands there decides."""
    bench = Workbench(load_settings())
    zed = bench.create_patient("Zed Zebra", "1960-01-02", "male", "", nurse)
    kept = bench.import_text("Letter", "Zed Zebra has orthopnoea since 3 March 2026.", zed.patient_id, nurse)
    hits = bench.search("short of breath lying flat", nurse, patient_id=zed.patient_id).hits
    assert [hit.passage.document_id for hit in hits] == [kept.document_id]
    assert bench.search("banana bread recipe", nurse, patient_id=zed.patient_id).hits == ()
    bench.close()


@pytest.mark.models
def test_a_rare_word_is_found_in_a_record_much_longer_than_the_others(bench: Workbench) -> None:
    ward = "She slept well, ate her meals and walked to the day room with one nurse. " * 6
    bench.import_text("long", f"{ward}The word quixotism stands here once. {ward}", "", Actor("nurse", "s", "nurse"))
    assert titles(bench, "quixotism")[0] == "long"


@pytest.mark.models
def test_the_heading_of_the_physical_examination_is_no_embolism(bench: Workbench) -> None:
    text = "PE: lungs clear, abdomen soft. HEART: regular. Seen for a blocked ear after swimming."
    bench.import_text("examined", text, "", Actor("nurse", "s", "nurse"))
    bench.import_text("embolism", "CT shows a segmental PE on the right.", "", Actor("nurse", "s", "nurse"))
    hits = bench.search("clot on the lung", Actor("nurse", "s", "nurse")).hits
    found = {bench.document(hit.passage.document_id).title: hit for hit in hits}
    assert next(iter(found)) == "embolism"
    words = found["embolism"].passage.text.split()
    lit = matched_word_indices(found["embolism"].passage, words, "clot on the lung")
    assert [words[place] for place in lit] == ["PE"]
    examined = "PE: lungs clear, abdomen soft.".split()
    passage = replace(found["embolism"].passage, word_indices=tuple(range(len(examined))))
    assert 0 not in matched_word_indices(passage, examined, "clot on the lung")
