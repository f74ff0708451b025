"""What forbids holds however somebody is written: warnings and agreed restrictions, by one function."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.consent import Addressee, Reason, Recipient, RecipientClass, may_tell
from caseload.domain.consent.addressee import WHERE_SOMEBODY_ELSE_IS_MEANT
from caseload.domain.consent.names import ALIKE, could_mean, likeness
from caseload.domain.consent.words import Category
from caseload.domain.family import RelatedPerson, WarningKind
from caseload.domain.ids import RelatedPersonId, new_id
from tests.domain.test_consent import (
    AROUND,
    GUARDIAN,
    MOTHER,
    NO_ATTENDANCE,
    NOW,
    TO_MOTHER,
    UK,
    US,
    Around,
    Kept,
    Told,
    asked_of,
    asks,
    consent,
    draft,
    given_consent,
    person,
    question,
    warned_mother,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def called(name: str, *former: str, identifier: RelatedPersonId = MOTHER) -> RelatedPerson:
    known = person(identifier)
    return replace(known, details=replace(known.details, name=name), former_names=former)


def may_be(said: str, *around: RelatedPerson) -> list[bool]:
    to = Addressee(recipient=Recipient(name=said), around=around)
    return [to.may_be(each) for each in around]


@given(
    words=some.lists(some.text(LETTERS, min_size=4, max_size=9), min_size=2, max_size=4),
    place=some.integers(min_value=0),
    slip=some.sampled_from(["leave out", "double", "change", "swap"]),
    letter=some.sampled_from(LETTERS),
    turned=some.integers(0, 3),
    function=some.sampled_from(["", ", sister", " (claims clerk)"]),
)
def test_a_slip_of_one_letter_in_a_name_in_any_order_still_means_the_person(
    words: list[str], place: int, slip: str, letter: str, turned: int, function: str
) -> None:
    at = place % len(words)
    word, inside = words[at], place % (len(words[at]) - 1)
    head, tail = word[:inside], word[inside:]
    slipped = {
        "leave out": head + tail[1:],
        "double": head + tail[0] + tail,
        "change": head + letter + tail[1:],
        "swap": head + tail[1] + tail[0] + tail[2:],
    }[slip]
    said = [*words[:at], slipped, *words[at + 1 :]]
    turn = turned % len(said)
    assert may_be(" ".join((*said[turn:], *said[:turn])).title() + function, called(" ".join(words))) == [True]


@pytest.mark.parametrize(
    ("said", "is_meant"),
    [
        ("mary SMITH", True),
        ("Smith, Márÿ", True),
        ("Marry Smith", True),
        ("Mary Smyth, sister of the client", True),
        ("Zmith, Mary", True),
        ("MarySmith", True),
        ("Mary Anne Smith", True),
        ("Mary Jones", True),
        ("Mary", False),
        ("Mary Okafor", False),
        ("The claims clerk", False),
        ("", False),
    ],
)
def test_words_mean_somebody_by_every_name_they_ever_had(*, said: str, is_meant: bool) -> None:
    assert may_be(said, called("Mary Smith", "Mary Jones")) == [is_meant]


def test_whoever_is_written_as_another_of_the_list_is_called_is_that_one() -> None:
    mary, gary = called("Mary Smith"), called("Gary Smith", identifier=GUARDIAN)
    assert may_be("Gary Smith", mary) == [True]
    for said, meant in (
        ("Gary Smith", [False, True]),
        ("Smith, Gary: brother", [False, True]),
        ("Marry Smith", [True, False]),
        ("Gary Smith and Marry Smith", [True, True]),
    ):
        assert may_be(said, mary, gary) == meant, said


def test_a_longer_name_is_not_hidden_behind_a_shorter_one_of_somebody_else() -> None:
    around = (called("Ana Ruiz Lopez"), called("Ana Ruiz", identifier=GUARDIAN))
    assert may_be("Ana Ruiz Lopes", *around) == [True, True]


def test_one_word_is_too_little_to_know_a_person_by_and_enough_for_what_has_but_one() -> None:
    assert not could_mean("Rosa Lopez, clerk", "Rosa")
    assert could_mean("Rossa", "Rosa")
    assert could_mean("Aetna, claims department", "Aetna", by_one_word=True)
    assert could_mean("The Aettna, claims", "Aetna", by_one_word=True)
    assert could_mean("???", "!!!")
    assert not could_mean("Aetna", "!!!", by_one_word=True)


@given(one=some.text(LETTERS + " ", max_size=12), other=some.text(LETTERS + " ", max_size=12))
def test_likeness_lies_between_nothing_and_the_same(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1
    assert could_mean(one, other) or likeness(one, other) < ALIKE or len(other.split()) > 1


AGREED = [
    (TO_MOTHER, Recipient(name="Example, Rosa"), None),
    (TO_MOTHER, Recipient(name="Rossa Example"), None),
    (TO_MOTHER, Recipient(group=RecipientClass.HEALTH_PLANS), "Rosa Example, claims"),
    (Recipient(name="rosa exámple"), TO_MOTHER, None),
    (Recipient(name="Rosa Example, her mother"), Recipient(name="Rosa Example"), None),
    (Recipient(name="Blue Cross"), Recipient(group=RecipientClass.HEALTH_PLANS), "Blue Cross"),
    (Recipient(name="Blue Cross"), Recipient(group=RecipientClass.HEALTH_PLANS), "The clerk, BlueCross"),
    (Recipient(name="Blue Cross"), Recipient(name="Blue Crosss claims department"), None),
    (Recipient(name="Aetna"), Recipient(name="Aetna Claims"), None),
    (Recipient(group=RecipientClass.HEALTH_PLANS), Recipient(group=RecipientClass.HEALTH_PLANS), "Anybody"),
]
NOT_AGREED = [
    (TO_MOTHER, Recipient(name="General Hospital"), None),
    (TO_MOTHER, Recipient(person=RelatedPersonId(new_id())), None),
    (Recipient(name="Blue Cross"), Recipient(group=RecipientClass.HEALTH_PLANS), "Harbour Mutual"),
    (Recipient(name="Blue Cross"), TO_MOTHER, "Rosa Example"),
    (Recipient(group=RecipientClass.HEALTH_PLANS), Recipient(name="Blue Cross"), None),
]


@pytest.mark.parametrize(
    ("agreed", "told", "by_name", "forbids"),
    [(*each, True) for each in AGREED] + [(*each, False) for each in NOT_AGREED],
)
def test_a_restriction_is_not_passed_by_writing_the_recipient_otherwise(
    *, agreed: Recipient, told: Recipient, by_name: str | None, forbids: bool
) -> None:
    restriction = replace(NO_ATTENDANCE, recipient=agreed)
    mother = AROUND[MOTHER]
    to = Addressee(recipient=told, by_name=by_name, around=(mother,))
    assert restriction.forbids(to, Category.ATTENDANCE, question().purpose) is forbids


def test_a_restriction_on_a_name_is_lifted_for_nobody_by_naming_the_person_from_the_list() -> None:
    signed = consent(draft(), restrictions=(replace(NO_ATTENDANCE, recipient=Recipient(name="Example, Rosa")),))
    asked = replace(question(), around=tuple(AROUND.values()))
    found = may_tell(asked, at=NOW, consents=[signed], rules=US)
    assert found.reason is Reason.AGREED_RESTRICTION


def test_a_consent_to_a_misspelled_name_allows_nothing_while_the_person_is_warned_of_and_says_what_to_do() -> None:
    kept, told = Kept(), Told()
    misspelled = Recipient(name="Rossa Example")
    given_consent(kept, told, what=draft(recipients=(misspelled,)))
    assert asked_of(kept, told, asks(recipient=misspelled))[0].allowed
    [answer] = asked_of(kept, told, asks(recipient=misspelled), around=warned_mother(WarningKind.DOMESTIC_RISK))
    assert answer.reason is Reason.SAFETY_WARNING
    assert (answer.advice or "").endswith(WHERE_SOMEBODY_ELSE_IS_MEANT)


def test_whoever_is_warned_of_is_not_told_under_the_name_they_had_before() -> None:
    kept, told = Kept(), Told()
    before = Recipient(name="Rosa Before")
    given_consent(kept, told, what=draft(recipients=(before,)))
    around = warned_mother(WarningKind.DOMESTIC_RISK)
    assert asked_of(kept, told, asks(recipient=before), around=around)[0].allowed
    renamed: Any = replace(around.people[MOTHER], former_names=("Rosa Before",))
    assert asked_of(kept, told, asks(recipient=before), around=Around({MOTHER: renamed}))[0].reason is (
        Reason.SAFETY_WARNING
    )


def test_what_was_agreed_not_to_be_told_is_not_acknowledged_either() -> None:
    """Also where the client never gave a consent."""
    presence = replace(NO_ATTENDANCE, categories=frozenset({Category.PRESENCE}))
    knows = question(category=Category.PRESENCE, known_already=True)
    for agreed, reason in (((), Reason.ALREADY_KNOWN), ((presence,), Reason.AGREED_RESTRICTION)):
        found = may_tell(replace(knows, agreed=agreed), at=NOW, consents=[], rules=UK)
        assert (found.reason, found.allowed) == (reason, not agreed)
