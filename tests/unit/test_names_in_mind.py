"""Which names are told before a phrase is heard again, and where in it a name that was heard then belongs."""

from __future__ import annotations

import pytest

from domain.speech import TimedWord
from pipelines.names_in_mind import HeardName, around, heard_names, names_to_tell


def words(text: str, sure: float = 0.9) -> tuple[TimedWord, ...]:
    return tuple(TimedWord(word, float(at), at + 1.0, sure) for at, word in enumerate(text.split()))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("I take low-sorting fifty milligrams", "losartan"),
        ("take the furos a mind in the morning", "furosemide"),
        ("Tape or Nisolome, thirty milligrams", "prednisolone"),  # half of the name has become other words
        ("and lower the carbide law to six milligrams", "carvedilol"),
        ("I missed the lambatrigin for two days", "lamotrigine"),
    ],
)
def test_names_a_little_like_what_is_written_are_told(written: str, meant: str) -> None:
    assert meant in names_to_tell(words(written), ())


def test_where_all_is_ordinary_and_was_heard_well_nothing_is_told_else_it_is() -> None:
    text = "Is that the same as that the offering"
    assert names_to_tell(words(text), ()) == ()
    assert names_to_tell(words(text, 0.2), ())


@pytest.mark.parametrize(
    ("written", "again", "found"),
    [
        ("Take levittur said and 750 milligrams", "levetiracetam 750 milligrams", HeardName(1, 4, "levetiracetam")),
        ("I was on Belport and gained weight", "I was on valproat and gained weight", HeardName(3, 4, "valproate")),
        ("and worth hiring three milligrams", "and warfarin three milligrams", HeardName(1, 3, "warfarin")),
        ("I use the knife-depined now", "I used the nifedipine now", HeardName(3, 4, "nifedipine")),
    ],
)
def test_a_name_belongs_where_it_was_heard_in_place_of_other_words(written: str, again: str, found: HeardName) -> None:
    assert heard_names(words(written), [again], ()) == (found,)


def test_what_is_heard_the_same_or_was_a_name_already_is_not_found() -> None:
    assert heard_names(words("take lisinopril in the morning"), ["take lisinopril in the morning"], ()) == ()
    assert heard_names(words("take hydralazine in the morning"), ["take hydroxyzine in the morning"], ()) == ()
    assert heard_names(words("come back in two weeks"), ["come back in two weeks, aspirin"], ()) == ()


def test_a_name_is_compared_with_a_longer_one_that_begins_before_it() -> None:
    place = HeardName(3, 5, "chlorothiazide")
    assert HeardName(2, 5, "hydrochlorothiazide") in around(words("and take hydrochloro the aside now"), place)
