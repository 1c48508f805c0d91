"""What a reader could not do, as findings."""

from tallyman.domain.document import Document, Problem
from tallyman.domain.reasons import Reason
from tallyman.matching.problems import not_ours, problem_findings

STACKED = Document(
    type="pod",
    problems=(
        Problem(code=Reason.LOW_CONFIDENCE, message="A date is not sure."),
        Problem(code=Reason.SPLIT_SUGGESTED, message="This file seems to hold 2 documents: pages 1 and 2."),
    ),
)


def test_that_a_file_may_hold_several_documents_is_for_a_person_to_accept() -> None:
    assert [one.acceptable for one in problem_findings(STACKED) if one.reason is Reason.SPLIT_SUGGESTED] == [True]


def test_a_wrong_document_in_a_stack_may_be_split_off() -> None:
    found = not_ours(STACKED, "This is no invoice but: pod.")
    assert [(one.reason, one.acceptable) for one in found] == [
        (Reason.SPLIT_SUGGESTED, True),
        (Reason.WRONG_DOCUMENT, False),
    ]
    assert [one.reason for one in not_ours(Document(type="pod"), "no")] == [Reason.WRONG_DOCUMENT]
