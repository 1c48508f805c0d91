"""What a person may do with an item, in buttons that say what will happen."""

from dataclasses import dataclass
from decimal import Decimal

from tallyman.domain.case import ReviewItem, ReviewState
from tallyman.domain.document import Document
from tallyman.domain.finding import Severity
from tallyman.domain.reasons import TRY_AGAIN, Reason
from tallyman.domain.stack import written
from tallyman.office.language import Language
from tallyman.runtime.corrections import missing_persons
from tallyman.runtime.requests import asks_for_password, sheets_to_split


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The buttons of an item. An empty label means: no such button.

    persons: how many different persons must accept, counted with those who have; lacking: how many still have to.
    """

    decided: bool
    accept: str = ""
    correct: str = ""
    reject: str = ""
    outcome: bool = False
    again: str = ""
    """For an unknown outcome: post again after a person has proven the record absent."""
    close: str = ""
    persons: int = 1
    lacking: int = 1
    password: str = ""
    """For a protected document: read it with the password that is typed."""
    split: str = ""
    """For a file that may hold several documents: each becomes a case of its own."""
    pages: str = ""
    """What it would be split into, as people write it."""
    blocked: bool = False
    """Something can't be accepted: it must be corrected."""


def offer(
    item: ReviewItem,
    language: Language,
    *,
    erp: str,
    gross: Decimal | None,
    currency: str | None,
    has_fields: bool,
    document: Document | None,
    splits: bool,
) -> Offer:
    """`erp` is the title of the target system, `gross` and `currency` what the case would post.

    splits: to try again means to split the file, and posts nothing.
    """
    t = language.t
    if item.state is ReviewState.DECIDED:
        return Offer(decided=True)
    if not item.case:
        return Offer(decided=False, close=t("Done: close this item"))
    amount = language.amount(gross, currency)
    reject = t("Reject: never post")
    if any(finding.reason is Reason.OUTCOME_UNKNOWN for finding in item.findings):
        again = t("It is not there: post again to {erp}, {amount}", erp=erp, amount=amount)
        if not amount:
            again = t("It is not there: post again to {erp}", erp=erp)
        return Offer(decided=False, outcome=True, again=again, reject=reject)
    errors = [finding for finding in item.findings if finding.severity is Severity.ERROR]
    persons = max([finding.persons for finding in errors], default=1)
    lacking = missing_persons([one for one in errors if one.acceptable], item.decisions)
    blocked = any(not finding.acceptable for finding in errors)
    stack = document.stack if document else None
    return Offer(
        decided=False,
        split=t("Split: each document becomes a case of its own") if sheets_to_split(item, document) else "",
        pages=written(stack.documents) if stack else "",
        accept="" if blocked else _accept(item, language, erp, amount, lacking, splits),
        correct=t("Correct and check again") if has_fields else "",
        password=t("Open with this password and read") if asks_for_password(item) else "",
        reject=reject,
        persons=persons,
        lacking=lacking,
        blocked=blocked,
    )


def _accept(item: ReviewItem, language: Language, erp: str, amount: str, lacking: int, splits: bool) -> str:
    t = language.t
    if lacking > 1:
        return t("Accept as one of two persons; posts nothing yet")
    if any(finding.reason in TRY_AGAIN for finding in item.findings):
        if splits:
            return t("Try again to split it")
        return t("Try again, post to {erp}, {amount}", erp=erp, amount=amount) if amount else t("Try again")
    if any(finding.reason is Reason.SPLIT_SUGGESTED for finding in item.findings):
        whole = t("It is one document: post it to {erp}, {amount}", erp=erp, amount=amount)
        return whole if amount else t("It is one document: post it to {erp}", erp=erp)
    if not amount:
        return t("Accept and post to {erp}", erp=erp)
    return t("Accept and post to {erp}, {amount}", erp=erp, amount=amount)
