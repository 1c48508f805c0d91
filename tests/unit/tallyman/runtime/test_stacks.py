"""The pages that a person names for each document, and what is split without asking anybody."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tallyman.domain.case import Case, Decision, DecisionKind
from tallyman.domain.document import Document
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import Documents, Stack, written
from tallyman.errors import UsageError
from tallyman.runtime.corrections import corrected
from tallyman.runtime.entry import split_pages
from tallyman.runtime.stacks import certain_split, decided_split

NOW = datetime(2026, 11, 2, tzinfo=UTC)
CASE = Case(id="a", bot="invoices", sha256="0" * 64, file="a.pdf", source="folder", received_at=NOW)
TWO: Documents = ((1, 2), (4,))


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("1-2; 3; 4-5", ((1, 2), (3,), (4, 5))),
        (" 1–2 ;3;", ((1, 2), (3,))),
        ("5, 1-2; 3", ((5, 1, 2), (3,))),
        ("2", ((2,),)),
    ],
)
def test_a_person_writes_the_pages_of_each_document(text: str, documents: Documents) -> None:
    assert split_pages(text, 5) == documents
    assert split_pages(written(documents), 5) == documents


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Write the pages"),
        (" ; ", "Write the pages"),
        ("1-", "Write the pages"),
        ("one", "Write the pages"),
        ("2-1", "Write the pages"),
        ("1,,2", "Write the pages"),
        ("1-99999", "Write the pages"),
        ("0; 1", "no such page"),
        ("1; 6", "no such page"),
        ("1-9999", "no such page"),
        ("1-2; 2", "used twice"),
        ("1-5", "whole file"),
    ],
)
def test_pages_that_do_not_fit_are_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        split_pages(text, 5)


def document(certain: bool = True) -> Document:
    return Document(type="invoice", stack=Stack(documents=TWO, certain=certain))


def decided(kind: DecisionKind, **values: Any) -> Decision:
    return Decision(kind=kind, by="eva", at=NOW, **values)


def test_only_a_certain_split_that_nobody_has_spoken_against_is_carried_out_by_itself() -> None:
    finding = Finding(reason=Reason.SPLIT_SUGGESTED, message="It holds two.")
    password = decided(DecisionKind.ACCEPT)  # what it accepts can't be accepted, so it names nothing
    assert certain_split(CASE, document(), []) == TWO
    assert certain_split(CASE, document(), [password]) == TWO
    assert certain_split(CASE, document(certain=False), []) == ()
    assert certain_split(CASE, Document(type="invoice"), []) == ()
    assert certain_split(CASE.model_copy(update={"part_of": "b"}), document(), []) == ()
    assert certain_split(CASE, document(), [decided(DecisionKind.ACCEPT, accepted=(finding,))]) == ()


def accepted(reason: Reason) -> Decision:
    return decided(DecisionKind.ACCEPT, accepted=(Finding(reason=reason, message="So it is."),))


def test_the_last_decision_counts() -> None:
    split = decided(DecisionKind.SPLIT, pages=TWO)
    assert decided_split([]) is None
    assert decided_split([split]) == split
    assert decided_split([split, decided(DecisionKind.ACCEPT)]) is None
    assert decided_split([split, accepted(Reason.UNREADABLE)]) is None


def test_who_tries_again_has_decided_nothing_else() -> None:
    split, again = decided(DecisionKind.SPLIT, pages=TWO), accepted(Reason.SYSTEM_DOWN)
    assert decided_split([split, again, again]) == split
    assert decided_split([again]) is None
    assert certain_split(CASE, document(), [again]) == TWO
    assert certain_split(CASE, document(), [accepted(Reason.UNREADABLE)]) == ()
    assert certain_split(CASE, document(), [decided(DecisionKind.CORRECT, corrections={"note": "x"})]) == ()


def test_who_says_what_type_it_is_says_that_it_is_one_document() -> None:
    assert corrected(document(), [decided(DecisionKind.CORRECT, corrections={"type": "invoice"})]).stack is None
    assert corrected(document(), [decided(DecisionKind.CORRECT, corrections={"note": "x"})]).stack is not None
