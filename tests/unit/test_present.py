"""What the page is given to draw: plain data made from domain values, with no browser and no model near."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import gradio as gr
import pytest

from components import bridge, hit_cards, page_view, records_tab
from components.bridge import Ended, Made, RunningJobs, Step
from components.models_tab import present_shelf
from components.page_files import file_name, page_picture_path, pdf_path
from components.patient_picker import initials, page_number, present_age, present_picker
from components.record_samples import find_samples
from components.search_tab import KINDS, read_date
from domain.document import (
    Box,
    Correction,
    Fact,
    FactKind,
    Hit,
    OcrDocument,
    OcrPage,
    PageSource,
    Passage,
    TextLine,
    TextWord,
)
from domain.errors import NotAllowed, NothingFound
from domain.models import InputContract, Metric, ModelCard, ModelStamp, WeightsSource
from domain.patient import Patient
from pipelines import understanding
from pipelines.workbench import DocumentSummary

TODAY = date(2026, 11, 24)


def word(text: str, confidence: float, left: float, top: float = 100, mended: str | None = None) -> TextWord:
    upright = TextWord.upright(text, confidence, Box(left, top, left + 80, top + 20))
    return TextWord(text, confidence, upright.quad, mended)


def page(number: int, *words: TextWord, warnings: tuple[str, ...] = ()) -> OcrPage:
    lines = (TextLine(words),) if words else ()
    return OcrPage(number, 1000, 1400, 150.0, 0, 0.0, PageSource.OCR, lines, warnings)


def record(*pages: OcrPage, facts: tuple[Fact, ...] = (), warnings: tuple[str, ...] = ()) -> OcrDocument:
    return OcrDocument(
        "d1",
        "p1",
        "Letter",
        pages,
        ModelStamp("m", "1"),
        datetime(2026, 11, 1, tzinfo=UTC),
        facts=facts,
        warnings=warnings,
    )


def patient(born: date, name: str = "Ana Lind") -> Patient:
    return Patient("p1", name, born, "female", "HC-1", datetime(2026, 1, 1, tzinfo=UTC))


def test_only_the_open_page_brings_its_words() -> None:
    shown = page_view.present_record(record(page(1, word("a", 0.9, 10)), page(2, word("b", 0.4, 10))), 2)
    assert shown["page"]["number"] == 2
    assert [w["text"] for w in shown["page"]["words"]] == ["b"]
    assert [p["words"] for p in shown["pages"]] == [1, 1]
    json.dumps(shown)


@pytest.mark.parametrize(("asked", "opened"), [(0, 1), (-3, 1), (2, 2), (99, 2)])
def test_a_page_number_outside_the_record_opens_the_nearest_page(asked: int, opened: int) -> None:
    assert page_view.present_record(record(page(1), page(2)), asked)["page"]["number"] == opened


def test_doubt_counts_unmended_words_below_each_line() -> None:
    summary = page_view.present_page_summary(
        page(
            1, word("sure", 0.99, 0), word("doubt", 0.849, 0), word("bad", 0.5, 0), word("fixed", 0.3, 0, mended="fxd")
        )
    )
    counts = dict(zip(page_view.LINES_OF_DOUBT.tolist(), summary["doubt"], strict=True))
    assert counts[0.5] == 0
    assert counts[0.51] == 1
    assert counts[0.84] == 1
    assert counts[0.85] == 2
    assert counts[1.0] == 3


def test_text_from_a_page_stays_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    shown = page_view.present_record(record(page(1, word(hostile, 0.2, 0))), 1)
    assert shown["page"]["words"][0]["text"] == hostile


def test_a_warning_of_a_page_is_not_repeated_for_the_record() -> None:
    document = record(page(1, warnings=("Faint.",)), warnings=("Faint.", "Locked form.", "Locked form."))
    shown = page_view.present_record(document, 1)
    assert shown["notes"] == ["Locked form."]
    assert shown["page"]["warnings"] == ["Faint."]


def test_allergies_come_first_and_alarm_only_when_asserted() -> None:
    lab = Fact(FactKind.LAB, "Potassium", "5.9", 1, (0,), 0.9, "mmol/L", "high", "3.5-5.1")
    allergy = Fact(FactKind.ALLERGY, "penicillin", "penicillin", 1, (1,), 0.9)
    none_known = Fact(FactKind.ALLERGY, "allergies", "none known", 1, (1,), 0.9, negated=True)
    groups = page_view.present_facts((lab, allergy))
    assert [group["title"] for group in groups] == ["Allergies", "Lab values"]
    assert groups[0]["alarm"] is True
    assert groups[0]["facts"][0]["value"] == ""  # what the label says already is not said twice
    assert groups[1]["facts"][0]["flag"] == "high"
    assert page_view.present_facts((none_known,))[0]["alarm"] is False


def test_what_is_said_on_several_pages_is_listed_once_with_its_places() -> None:
    facts = tuple(Fact(FactKind.NAME, "name", "Ana Lind", number, (number,), 0.9) for number in (1, 2, 5))
    (group,) = page_view.present_facts(facts)
    (fact,) = group["facts"]
    assert fact["label"] == "Name"
    assert [place["page"] for place in fact["places"]] == [1, 2, 5]
    assert fact["places"][2]["word_indices"] == [5]


def test_the_newest_correction_stands_first() -> None:
    old = Correction("d1", 1, 0, "a", "b", datetime(2026, 1, 1, tzinfo=UTC), "ana")
    new = Correction("d1", 1, 0, "b", "c", datetime(2026, 1, 2, tzinfo=UTC), "ana")
    assert [c["new_text"] for c in page_view.present_record(record(page(1)), 1, (old, new))["history"]] == ["c", "b"]


def test_of_the_pages_read_so_far_the_newest_stands_first_with_an_excerpt() -> None:
    long_page = page(2, *(word("reading", 0.9, i) for i in range(60)))
    shown = page_view.present_reading([page(1), long_page], 2)
    assert shown["count"] == 2
    assert [p["number"] for p in shown["pages"]] == [2, 1]
    assert shown["pages"][0]["excerpt"].endswith(" …")
    assert shown["pages"][1]["excerpt"] == ""


def test_a_record_without_words_has_no_confidence() -> None:
    assert page_view.confidence_of(record(page(1), page(2))) == 0.0


def test_boxes_from_the_browser_are_checked() -> None:
    assert page_view.boxes_from([[1, 2, 3, 4]]) == ((1.0, 2.0, 3.0, 4.0),)
    with pytest.raises(ValueError, match="inside out"):
        page_view.boxes_from([[5, 2, 3, 4]])


def hit(words: tuple[TextWord, ...], lit: tuple[int, ...], terms: tuple[str, ...]) -> Hit:
    passage = Passage("x", "d1", "p1", 1, " ".join(w.text for w in words), tuple(range(len(words))))
    return Hit(passage, 0.5, 1, None, False, tuple(words[i].box for i in lit), terms)


def test_matching_words_are_lit_and_the_rest_is_not() -> None:
    words = (word("no", 0.9, 0), word("chest", 0.9, 100), word("pain", 0.9, 200), word("today", 0.9, 300))
    segments = hit_cards.present_segments(hit(words, (1, 2), ("chest", "pain")), page(1, *words))
    assert segments == [
        {"text": "no ", "lit": False},
        {"text": "chest pain", "lit": True},
        {"text": " today", "lit": False},
    ]


def test_what_is_merely_like_it_does_not_crowd_out_what_is_denied() -> None:
    plain = hit((word("pain", 0.9, 0),), (), ())
    like = [replace(plain, score=place / 100, named=False) for place in range(30, 0, -1)]
    denied = [replace(plain, score=place / 1000, negated=True) for place in range(9, 0, -1)]
    shown = hit_cards.choose([plain, *like, *denied])
    assert shown == (plain, *like[: hit_cards.SHOWN - 1], *denied[: hit_cards.DENIALS])


def test_a_list_of_everybodys_records_says_whose_each_is() -> None:
    line = DocumentSummary(
        "d1", "p1", "Letter", "note", None, datetime(2026, 1, 1, tzinfo=UTC), 1, 1.0, 1, "typed", "Ana Lind"
    )
    for chosen, whose in (("", "Ana Lind"), ("Ana Lind", "")):
        (group,) = records_tab.present_list([line], [], chosen, "")["groups"]
        assert [shown["patient"] for shown in group["records"]] == [whose]
        assert group["records"][0]["typed"]


def test_a_hit_by_meaning_alone_lights_no_word() -> None:
    words = (word("orthopnoea", 0.9, 0), word("noted", 0.9, 100))
    segments = hit_cards.present_segments(hit(words, (0, 1), ()), page(1, *words))
    assert segments == [{"text": "orthopnoea noted", "lit": False}]


@pytest.mark.parametrize(("left", "top"), [(0, 0), (500, 700), (915, 1375)])
def test_the_cut_out_lies_in_the_page_and_holds_the_passage(left: float, top: float) -> None:
    words = (word("pain", 0.9, left, top),)
    x, y, width, height = hit_cards.region_of(hit(words, (0,), ("pain",)), page(1, *words))
    assert x >= 0
    assert y >= 0
    assert x + width <= 1000
    assert y + height <= 1400
    box = words[0].box
    assert x <= box.left
    assert box.right <= x + width
    assert y <= box.top
    assert box.bottom <= y + height


def test_a_long_passage_is_cut_around_its_first_mark() -> None:
    words = tuple(word(f"w{row}", 0.9, 100, 100 + 60 * row) for row in range(20))
    _, y, _, height = hit_cards.region_of(hit(words, (15,), ("w15",)), page(1, *words))
    assert height < 400
    assert y <= words[15].box.top
    assert words[15].box.bottom <= y + height


def test_a_passage_alike_in_meaning_gets_one_frame() -> None:
    words = (word("orthopnoea", 0.9, 0), word("noted", 0.9, 100))
    assert hit_cards.marks_of(hit(words, (0, 1), ())) == (Box(0, 100, 180, 120),)
    assert len(hit_cards.marks_of(hit(words, (0, 1), ("orthopnoea", "noted")))) == 2


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(1961, 3, 12), "65 years"),
        (date(2024, 11, 24), "2 years"),
        (date(2024, 11, 25), "23 months"),
        (date(2026, 10, 24), "1 month"),
        (date(2026, 11, 23), "1 day"),
        (date(2026, 11, 24), "0 days"),
    ],
)
def test_age_is_given_as_a_clinician_would(born: date, age: str) -> None:
    assert present_age(patient(born), TODAY) == age


def test_the_picker_shows_who_is_chosen_and_who_was_found() -> None:
    shown = present_picker(patient(date(1961, 3, 12)), [patient(date(1987, 1, 1), "Bo")], "b", TODAY, "No.")
    assert shown["patient"]["name"] == "Ana Lind"
    assert [found["name"] for found in shown["results"]] == ["Bo"]
    assert shown["problem"] == "No."


def test_the_header_carries_initials_and_allergies() -> None:
    chosen = present_picker(patient(date(1961, 3, 12)), [], "", TODAY, allergies=("penicillin", "latex"))["patient"]
    assert chosen["initials"] == "AL"
    assert chosen["allergies"] == ["penicillin", "latex"]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Amara Okafor", "AO"),
        ("Cher", "C"),
        ("anne-marie van der Berg", "AB"),
        ("<b> 'X", "BX"),
        ("?!", "?"),
        ("李 小龍", "李小"),
    ],
)
def test_initials_come_from_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("", 1), ("x", 1), ("-2", 1), (None, 1), ("0", 0), pytest.param("9" * 5000, 999_999_999, id="far")],
)
def test_page_numbers_in_links(text: str | None, number: int) -> None:
    assert page_number(text) == number


def test_dates_of_filters() -> None:
    assert read_date(" 2026-11-24 ", "From date") == TODAY
    assert read_date(None, "From date") is None
    with pytest.raises(NotAllowed, match="From date"):
        read_date("24.11.2026", "From date")


def test_every_kind_of_record_can_be_searched_for() -> None:
    known = {kind for kind, _ in understanding._KINDS} | {"other"}
    assert {kind for _, kind in KINDS} == known


def test_addresses_and_file_names_are_harmless() -> None:
    assert page_picture_path("a/../b", 2) == "records/a%2F..%2Fb/pages/2.jpg"
    assert pdf_path("d1", 3, download=True) == "records/d1/record.pdf?revision=3&download=1"
    assert file_name("../../etc/passwd\n<b>") == "etc-passwd-b.pdf"
    assert file_name("…") == "record.pdf"


def test_cards_are_grouped_by_task() -> None:
    def card(model_id: str, task: str) -> ModelCard:
        return ModelCard(
            model_id, task, model_id, "a:b", "1", "MIT", "us", "Reads.", "Hands.", InputContract("A page."),
            WeightsSource(), 10, metrics=(Metric("CER %", 0.5, "dev", "python x"),),
        )  # fmt: skip

    shelf = present_shelf([card("a", "ocr"), card("e", "text_encoder"), card("b", "ocr")], {"a", "e"}, {"a"})
    assert [task["title"] for task in shelf["tasks"]] == ["Reading pages", "Meaning of text, for search"]
    first, second = shelf["tasks"][0]["cards"]
    assert (first["in_use"], first["loaded"], first["choices"]) == (True, True, 2)
    assert second["in_use"] is False
    json.dumps(shelf)


def test_a_step_says_where_the_job_stands() -> None:
    assert records_tab.present_step(Step(2, 5, "pages", "Reading page 3.", 7.2))["text"] == (
        "Reading page 3 · 2 of 5 pages · 7 s"
    )
    assert records_tab.present_step(Step(0, 0, "models", "Loading X; later uses are instant", 1))["text"] == (
        "Loading X; later uses are instant · 1 s"
    )


def test_samples_of_an_absent_folder_are_none(tmp_path) -> None:
    assert find_samples(tmp_path / "absent") == ()
    (tmp_path / "2_lab_sheet.png").touch()
    (tmp_path / "README.md").touch()
    assert [sample.title for sample in find_samples(tmp_path)] == ["Lab sheet"]


# -- errors and jobs ---------------------------------------------------------------------------------------------------


def test_a_domain_error_becomes_a_toast_with_its_message_escaped() -> None:
    @bridge.told
    def handler() -> None:
        raise NothingFound("No <b>record</b> has this id.")

    with pytest.raises(gr.Error) as caught:
        handler()
    assert caught.value.message == "No &lt;b&gt;record&lt;/b&gt; has this id."
    assert isinstance(caught.value.__cause__, NothingFound)


def test_an_unknown_error_keeps_its_words_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    @bridge.told
    def handler():
        yield 1
        raise OSError("/secret/path of Ana Lind")

    stream = handler()
    assert next(stream) == 1
    with pytest.raises(gr.Error) as caught:
        next(stream)
    assert "secret" not in caught.value.message
    assert "Ana" not in caught.value.message
    reference = caught.value.message.split("reference ")[1].split(" ")[0]
    assert reference in caplog.text
    assert "/secret/path" in caplog.text


def test_a_job_is_followed_to_its_end() -> None:
    def job(progress, on_item) -> str:
        progress(0, 2, "pages", "Reading")
        on_item("page 1")
        return "done"

    events = list(bridge.follow(job, RunningJobs(), "s"))
    assert [type(event) for event in events if not isinstance(event, Step)] == [Made, Ended]
    assert events[-1].result == "done"


def test_the_cancel_button_stops_its_own_visits_job_only() -> None:
    jobs, begun = RunningJobs(), threading.Event()

    def job(progress, on_item) -> str:
        begun.set()
        while True:
            progress(1, 9, "pages", "Reading")

    events = bridge.follow(job, jobs, "mine")
    next(events)
    assert begun.wait(5)
    assert jobs.stop("another") is False
    assert jobs.stop("mine") is True
    *on_the_way, ended = events
    assert {step.message for step in on_the_way} <= {bridge.STOPPING}, "the wish to stop stays in sight"
    assert bridge.was_cancelled(ended)
    assert jobs.stop("mine") is False


def test_a_visitor_who_leaves_stops_the_job() -> None:
    stopped = threading.Event()

    def job(progress, on_item) -> None:
        try:
            while True:
                progress(1, 9, "pages", "Reading")
        finally:
            stopped.set()

    events = bridge.follow(job, RunningJobs(), "s")
    next(events)
    events.close()
    assert stopped.wait(5)


def test_a_failing_job_hands_over_its_error() -> None:
    def job(progress, on_item) -> None:
        raise ValueError("broken")

    ended = list(bridge.follow(job, RunningJobs(), "s"))[-1]
    assert isinstance(ended.error, ValueError)
    assert not bridge.was_cancelled(ended)


def test_allergies_that_somebody_may_not_see_are_not_said_to_be_none() -> None:
    ada = Patient("p1", "Ada Example", date(1961, 3, 12), "female", "HC-1", datetime(2026, 1, 1, tzinfo=UTC))
    shown = present_picker(ada, [], "", date(2026, 1, 1), allergies=None)
    assert shown["patient"]["allergies"] is None
    assert present_picker(ada, [], "", date(2026, 1, 1))["patient"]["allergies"] == []
    assert shown["turn"] == 0, "an answer that is behind the last choice changes nobody's header"
