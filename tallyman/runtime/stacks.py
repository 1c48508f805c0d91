"""A stack is split: each document in its file becomes a case of its own, and its own case ends."""

from collections.abc import Sequence

from sqlalchemy import Connection

from tallyman.contracts.system import Offer
from tallyman.domain.case import Case, CaseState, Decision, DecisionKind
from tallyman.domain.document import Document
from tallyman.domain.reasons import TRY_AGAIN
from tallyman.domain.stack import Documents, pages_of, written
from tallyman.runtime import engine
from tallyman.runtime.ledger import never_post
from tallyman.runtime.taking_in import begin_case, part_offer
from tallyman.store import cases


class Splits(Exception):
    """What was read is several documents for certain; this run ends with a case for each of them."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(written(documents))
        self.documents = documents


def certain_split(case: Case, document: Document, decisions: Sequence[Decision]) -> Documents:
    """The documents to split the file into without asking anybody; () where a person decides, or there is one.

    What was cut out of a stack is split by a person only, so it has an end; and what a person let go on is no stack.
    """
    decided = any((one.accepted or one.corrections) and not _tries_again(one) for one in decisions)
    if document.stack is None or not document.stack.certain or case.part_of is not None or decided:
        return ()
    return document.stack.documents


def decided_split(decisions: Sequence[Decision]) -> Decision | None:
    """The decision to split that is to be carried out now. Where that failed, who tries again means the same pages."""
    said = [decision for decision in decisions if not _tries_again(decision)]
    return said[-1] if said and said[-1].kind is DecisionKind.SPLIT else None


def splits_next(case: Case, document: Document | None, decisions: Sequence[Decision]) -> bool:
    """Whether the next run splits the file, where a person does no more than to let it try again."""
    return decided_split(decisions) is not None or bool(document and certain_split(case, document, decisions))


def _tries_again(decision: Decision) -> bool:
    """What stood in the way is mended; of the document the person has said nothing."""
    return bool(decision.accepted) and all(finding.reason in TRY_AGAIN for finding in decision.accepted)


def split(
    connection: Connection,
    client: engine.EngineClient,
    case: Case,
    document: Document | None,
    documents: Documents,
    files: Sequence[str],
    by: str,
) -> str:
    """All in the caller's transaction; what became of the case, in words. Done again it makes nothing twice.

    document: as it was read in this run. files: the hashes of the documents' files, which are stored.
    """
    if cases.get(connection, case.id).state is CaseState.SPLIT:
        return cases.message(connection, case.id)
    origin = cases.origin(connection, case.id)
    whole = Offer(key=origin["key"], name=origin["name"])
    known = []
    for number, (pages, sha256) in enumerate(zip(documents, files, strict=True), start=1):
        made = begin_case(
            connection,
            client,
            part_offer(whole, number, _named(pages)),
            sha256,
            bot=case.bot,
            source=origin["source"],
            run=origin["run"],
            attended=case.attended,
            part_of=case.id,
        )
        if made is None:
            known.append(pages)
    read = document or cases.document(connection, case.id)
    told = _told(documents, known, len(read.sheets) if read else 0, by)
    if read is not None:  # what was read is the first document's, which is a case of its own now
        cases.remember_document(connection, case.id, read.model_copy(update={"fields": {}, "lines": ()}))
    cases.remember_party(connection, case.id, None, None)
    never_post(connection, case.id, "Split into its documents.")
    cases.move(connection, case.id, CaseState.SPLIT, told)
    return told


def _told(documents: Documents, known: Sequence[Sequence[int]], count: int, by: str) -> str:
    several = f"{len(documents)} documents, each a case of its own" if len(documents) > 1 else "a case of its own"
    told = f"Split by {by} into {several}: pages {written(documents)}."
    used = {page for pages in documents for page in pages}
    if left := [page for page in range(1, count + 1) if page not in used]:
        told += f" With none of them: {_named(left)}."
    if known:
        told += f" Taken in before: pages {written(known)}."
    return told


def _named(pages: Sequence[int]) -> str:
    return f"{'page' if len(pages) == 1 else 'pages'} {pages_of(pages)}"
