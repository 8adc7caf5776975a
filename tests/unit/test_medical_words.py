"""Misheard medicines, doses and negations are lit, ordinary talk is not, and nothing is changed by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.speech import TimedWord, Transcript, Utterance, WordDoubt
from pipelines.consultation import with_word
from pipelines.medical_words import doubts_of, located_doubts, with_doubts
from pipelines.sounding_names import sound_key

# What was written down by ear, and the medicine that was meant. The rules were made while looking at the first...
SEEN = (
    ("I want you to keep taking listen up all twenty milligrams", "lisinopril"),
    ("use the butus onide inhaler twice a day", "budesonide"),
    ("we will add fluidic acid on two puffs", "fluticasone"),
    ("and foreign withdrawal in the evening", "formoterol"),
    ("keep on the at a rest at in 20 milligrams at night", "atorvastatin"),
    ("you take met for men 500 milligrams twice a day", "metformin"),
    ("let's start am low to pain five milligrams once daily", "amlodipine"),
    ("I take low sartan fifty milligrams", "losartan"),
    ("she is on gabba penton 300 milligrams three times a day", "gabapentin"),
    ("I'll prescribe a moxie sillin 500 milligrams", "amoxicillin"),
    ("take the pan top resolve forty milligrams before breakfast", "pantoprazole"),
    ("you can take eye be prof in for the pain", "ibuprofen"),
    ("we started her on sir trilene fifty milligrams", "sertraline"),
    ("let's increase the fewer rose a mide to 40 milligrams", "furosemide"),
    ("he takes met a pro lol 25 milligrams twice a day", "metoprolol"),
    ("start pred ni zone 40 milligrams for five days", "prednisone"),
    ("I take clo pity grill 75 milligrams daily", "clopidogrel"),
    ("take a zithro my sin for five days", "azithromycin"),
    ("we'll continue the lee vo thigh rock seen 50 micrograms", "levothyroxine"),
    ("he is taking war farren five milligrams", "warfarin"),
    ("and the sim the statin 20 milligrams at night", "simvastatin"),
    ("I take oh mep result 20 milligrams", "omeprazole"),
    ("start doxy cycling 100 milligrams twice a day", "doxycycline"),
    ("let's try dew locks a teen 30 milligrams", "duloxetine"),
    ("she takes trams at all 50 milligrams", "tramadol"),
    ("I take sit a lop ram 20 milligrams", "citalopram"),
    ("your dose of lam oh tri gene 100 milligrams", "lamotrigine"),
    ("we'll add hydro clora thigh a side 25 milligrams", "hydrochlorothiazide"),
    ("use the al butte her all inhaler two puffs", "albuterol"),
    ("take cipro flocks a sin 500 milligrams", "ciprofloxacin"),
    ("I'd like to start em pag la flows in ten milligrams", "empagliflozin"),
    ("take the allo pure in all 100 milligrams daily", "allopurinol"),
    ("we'll prescribe mel oxy cam 15 milligrams", "meloxicam"),
    ("take a pixie ban five milligrams twice a day", "apixaban"),
    ("she is on spear on a lactone 25 milligrams", "spironolactone"),
    ("I started on monte luke ast ten milligrams", "montelukast"),
    ("I take car vay dill all six milligrams twice a day", "carvedilol"),
    ("continue rosa va statin ten milligrams", "rosuvastatin"),
    ("she uses tie oh trope ium every morning", "tiotropium"),
    ("we'll start you on nitro fur and to in 100 milligrams", "nitrofurantoin"),
    ("take fam motor dean 20 milligrams", "famotidine"),
    ("he takes quiet a pine 25 milligrams at bedtime", "quetiapine"),
    ("she takes died clothing ac for the knee", "diclofenac"),
    ("let's put you on valla cyclo veer one gram", "valacyclovir"),
    ("I'm on Ella quiz five milligrams", "eliquis"),
    ("I take lip it or 40 milligrams", "lipitor"),
    ("refill the tam sue low sin 0.4 milligrams", "tamsulosin"),
    ("increase pre gabba lynn to 75 milligrams", "pregabalin"),
    ("we'll stop the die goxin", "digoxin"),
    ("start glip a side five milligrams", "glipizide"),
    ("take sef a lexin 500 milligrams four times a day", "cephalexin"),
    ("I take ben a drill at night", "benadryl"),
    ("the hydroxy chlor queen 200 milligrams", "hydroxychloroquine"),
    ("stop the nap rocks in", "naproxen"),
    ("takes meth a trek sate once a week", "methotrexate"),
    ("continue escape a lop ram ten milligrams", "escitalopram"),
)
# ...and these were written after the rules, and never used to change them.
UNSEEN = (
    ("you should take peri doe prill four milligrams", "perindopril"),
    ("we'll swap it for can the sartan eight milligrams", "candesartan"),
    ("I take bee so prologue two and a half milligrams", "bisoprolol"),
    ("the nurse gave me on dance a tron four milligrams", "ondansetron"),
    ("start flu cons ol 150 milligrams once", "fluconazole"),
    ("I'm taking my tas a peen fifteen milligrams at night", "mirtazapine"),
    ("keep using the sal but a mall inhaler", "salbutamol"),
    ("we will prescribe clear with row my sin 250 milligrams", "clarithromycin"),
    ("take loratta dean ten milligrams for the hay fever", "loratadine"),
    ("she's on sita glip tin 100 milligrams", "sitagliptin"),
    ("take coal chasing 0.5 milligrams twice daily", "colchicine"),
    ("he stopped the tie zanna dean last week", "tizanidine"),
    ("your prescription for bew pro peon 150 milligrams", "bupropion"),
    ("I was put on river rocks a ban 20 milligrams", "rivaroxaban"),
    ("continue the ram a pill five milligrams", "ramipril"),
    ("take all end drone ate 70 milligrams once a week", "alendronate"),
    ("we'd add diltie as em 120 milligrams", "diltiazem"),
    ("the fenn of fibrate 145 milligrams", "fenofibrate"),
    ("take ass i clove ear 400 milligrams", "acyclovir"),
    ("she takes topper a mate 25 milligrams", "topiramate"),
    ("start him on levity rass a tam 500 milligrams", "levetiracetam"),
    ("I use the mo meta zone spray every morning", "mometasone"),
    ("increase your semi glue tide to one milligram", "semaglutide"),
    ("take meth car bomb all 750 milligrams", "methocarbamol"),
    ("he is on a me oh dare own 200 milligrams", "amiodarone"),
)
ORDINARY = """
Good morning, how have you been since I saw you last?
I have been all right, just a little tired after the holidays.
My daughter drove me here because the bus was late again.
Does it hurt more when you climb the stairs or when you sit down?
It comes and goes, mostly in the evening after dinner.
I'm going to have a listen to your heart and your lungs now.
Take a deep breath in for me, and let it out slowly.
We started walking around the lake every morning with the dog.
You can put your shirt back on and have a seat over there.
Let's see what the blood test shows, and then we will talk again.
I stopped smoking about ten years ago, when my son was born.
He works in an office and sits at a computer most of the day.
Have you noticed any swelling in your ankles or your feet?
I would like you to come back in two weeks for a check up.
The pain woke me up twice last night and I could not get comfortable.
Your blood pressure is one hundred and thirty over eighty today.
She fell off her bike on Saturday and scraped both of her knees.
I usually have coffee and toast for breakfast and a sandwich at noon.
We will order an x-ray of the shoulder just to be on the safe side.
Please call the front desk if anything changes before your next visit.
""".strip().splitlines()


def said(text: str, unsure: str = "", name: str = "u1") -> Utterance:
    """An utterance in which the word `unsure` was heard badly."""
    words = tuple(
        TimedWord(word, float(at), at + 1.0, 0.2 if word == unsure else 0.95) for at, word in enumerate(text.split())
    )
    return Utterance(name, "S1", "", 0.0, float(len(words)), text, words)


@pytest.mark.parametrize("cases", [SEEN, UNSEEN], ids=["seen", "unseen"])
def test_of_misheard_medicines_four_in_five_are_lit_with_the_right_name(cases: tuple[tuple[str, str], ...]) -> None:
    missed = [
        (text, meant)
        for text, meant in cases
        if not any(meant in doubt.suggestions for doubt in doubts_of([said(text)]))
    ]
    assert len(missed) <= 0.2 * len(cases), missed


def test_ordinary_talk_is_left_in_peace() -> None:
    assert doubts_of([said(line) for line in ORDINARY]) == ()
    assert doubts_of([said(line) for line in ORDINARY], ["Lisinopril 20 mg", "metformin 500 mg", "aspirin"]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "take lisinopril 20 mg once a day",
        "take lisinopril 20mg in the morning",
        "we increase the lasix to 80 mg once a day",
        "I'll refill the prozac, 20 milligrams a day",
        "start empagliflozin ten milligrams",
        "metformin two times a day for ten years",
    ],
)
def test_a_dose_that_is_complete_is_not_lit(text: str) -> None:
    assert doubts_of([said(text)]) == ()


@pytest.mark.parametrize(
    ("text", "unsure", "reason"),
    [
        ("take lisinopril 20 milligrams", "20", "heard badly"),
        ("take lisinopril twenty milligrams", "twenty", "heard badly"),
        ("take ten milligrams", "ten", "heard badly"),
        ("take lisinopril 20 and come back", "", "without its unit"),
        ("I take atorvastatin 1020 milligrams", "", "more than is taken"),
        ("take 1020 milligrams at night", "", "run into one"),
    ],
)
def test_a_doubtful_dose_is_lit(text: str, unsure: str, reason: str) -> None:
    (doubt,) = doubts_of([said(text, unsure)])
    assert reason in doubt.reason
    assert doubt.suggestions == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("For times a night, and it burns", ("four",)),
        ("I use it to puffs in the morning", ("two",)),
        ("and warfarin free milligrams", ("three",)),
        ("I waited for hours and went to bed", ()),
        ("two times for two weeks", ()),
    ],
)
def test_a_word_that_sounds_like_a_number_is_lit_where_one_is_counted(text: str, meant: tuple[str, ...]) -> None:
    assert (
        tuple(name for one in doubts_of([said(text)]) if "counted" in one.reason for name in one.suggestions) == meant
    )


def test_what_the_second_look_found_is_told_once_with_what_sounds_alike_beside_it() -> None:
    heard = said("I take lison April twenty milligrams")
    words = list(heard.words)
    words[2] = replace(words[2], doubt=WordDoubt("Heard again, it sounds like lisinopril.", ("lisinopril",), 2))
    (lit,) = with_doubts([replace(heard, words=tuple(words))])
    assert lit.words[2].doubt
    assert lit.words[2].doubt.reason == "Heard again, it sounds like lisinopril."
    assert lit.words[2].doubt.suggestions[0] == "lisinopril"
    assert [word.doubt for word in lit.words[:2] + lit.words[3:]] == [None] * 5


def test_a_number_after_a_name_that_only_the_second_look_found_is_lit() -> None:
    heard = said("Have you had Dapper Glyphilisin? 10")
    words = list(heard.words)
    words[3] = replace(words[3], doubt=WordDoubt("It may be a medicine.", ("dapagliflozin",), 2))
    words[5] = replace(words[5], confidence=0.93)
    (lit,) = with_doubts([replace(heard, words=tuple(words))])
    assert lit.words[5].doubt


@pytest.mark.parametrize(
    ("text", "lit"),
    [
        ("my old doctor gave me a large from half a milligram at night", "large from"),
        ("and in the evening big ones, 400 milligrams", "big ones"),
        ("let us increase it to 40 milligrams", ""),
        ("we will go up to ten milligrams next week", ""),
        ("Seventy milligrams once a week", ""),
        ("how many milligrams do you take", ""),
        ("take lisinopril in the morning, only 20 milligrams", ""),
    ],
)
def test_what_stands_before_a_dose_is_in_doubt_where_no_medicine_was_understood(text: str, lit: str) -> None:
    doubts = [one for one in doubts_of([said(text)]) if one.reason.startswith("A dose follows")]
    assert [one.reason.split('"')[1] for one in doubts] == ([lit] if lit else [])
    assert all(len(one.suggestions) == 3 for one in doubts)


def test_a_medicine_that_sounds_like_one_on_the_list_is_a_conflict() -> None:
    (doubt,) = doubts_of([said("I take hydralazine at night")], ["Hydroxyzine 25 mg"])
    assert "own list" in doubt.reason
    assert doubt.suggestions == ("hydroxyzine",)
    assert doubts_of([said("I take hydroxyzine at night")], ["Hydroxyzine 25 mg"]) == ()
    assert doubts_of([said("I take aspirin at night")], ["Metformin 500 mg"]) == ()


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("I take lisinopril 40 milligrams every morning", True),
        ("I take lisinopril forty milligrams every morning", True),
        ("I take lisinopril 20 milligrams every morning", False),
        ("I take lisinopril twenty milligrams and aspirin 81 milligrams", False),
        ("I take carvedilol twelve point five milligrams", False),
        ("I take carvedilol 25mg twice a day", True),
        ("let us increase the lisinopril to 40 milligrams", False),  # it shall differ
        ("I take metoprolol 40 milligrams", False),  # no record gives its dose
    ],
)
def test_a_dose_that_the_records_do_not_have_is_a_conflict(text: str, conflict: bool) -> None:
    records = ["Lisinopril 20 mg once daily", "carvedilol 12.5 mg twice daily", "Lisinopril 10 mg", "metoprolol"]
    reasons = [doubt.reason for doubt in doubts_of([said(text)], records)]
    assert any("the patient's records have" in reason for reason in reasons) == conflict


def test_the_list_of_the_patient_makes_a_likeness_count_for_more() -> None:
    unsaid = said("she takes died clothing ac for the knee")
    assert doubts_of([unsaid]) == ()
    assert doubts_of([unsaid], ["Diclofenac 50 mg"])[0].suggestions == ("diclofenac",)


def test_a_negation_heard_badly_is_lit_only_where_it_matters() -> None:
    assert "turns on it" in doubts_of([said("no chest pain today", "no")])[0].reason
    assert doubts_of([said("no chest pain today")]) == ()
    assert doubts_of([said("no problem see you", "no")]) == ()


def test_lit_words_stay_as_heard_until_a_person_takes_a_suggestion() -> None:
    heard = said("keep taking listen up all twenty milligrams")
    (lit,) = with_doubts([heard])
    assert (lit.text, [word.text for word in lit.words]) == (heard.text, [word.text for word in heard.words])
    (place,) = located_doubts([heard])
    assert (place.start, place.end, lit.words[2].doubt) == (2, 5, place.doubt)
    visit = Transcript("t1", 7.0, (lit,), ())
    (mended,) = with_word(visit, "u1", 2, "lisinopril").utterances
    assert mended.text == "keep taking lisinopril twenty milligrams"
    assert (mended.words[2].start_s, mended.words[2].end_s, mended.words[2].doubt) == (2.0, 5.0, None)
    (kept,) = with_word(visit, "u1", 2, "listen").utterances
    assert kept.text == heard.text


def test_what_follows_a_name_tells_that_it_is_one() -> None:
    assert "fluticasone" in doubts_of([said("fluidic acid on nasal spray")])[0].suggestions


def test_a_conversation_without_timed_words_and_an_empty_one() -> None:
    assert doubts_of([]) == ()
    assert doubts_of([Utterance("u1", "S1", "", None, None, "")]) == ()
    text = Utterance("u1", "S1", "", None, None, "take the butus onide inhaler")
    assert doubts_of([text])[0].suggestions[0] == "budesonide"


def test_names_that_sound_alike_have_one_key() -> None:
    assert sound_key("butus onide") == sound_key("budesonide")
    assert sound_key("a moxie sillin") == sound_key("amoxicillin")
    assert sound_key("metformin") != sound_key("metoprolol")


def test_a_person_s_name_and_two_sentences_are_no_medicine() -> None:
    for text in ("Good morning, Mrs. Carter. I am Dr. Reed.", "Hello Mrs. Carter, I take it you slept well."):
        assert doubts_of([said(text)]) == ()
