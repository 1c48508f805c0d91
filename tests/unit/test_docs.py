"""The documents stay true: every error, reason and link is looked up."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyman import errors
from tallyman.domain.reasons import Reason
from tallyman.errors import TallymanError

ROOT = Path(__file__).resolve().parents[2]
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
PARTS = ("- **What happened:**", "- **Kept safe:**", "- **What to do:**")
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


def chapter(title: str) -> dict[str, str]:
    """The entries of one chapter of docs/errors.md, in order: heading to text."""
    text = ERRORS.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return {entry.split("\n", 1)[0]: entry.split("\n", 1)[1] for entry in text.split("\n### ")[1:]}


def tree(top: type[TallymanError]) -> Iterator[type[TallymanError]]:
    yield top
    for below in top.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below)


CLASSES = list(tree(TallymanError))


def test_every_error_has_its_heading_and_no_heading_is_stale() -> None:
    assert set(chapter("Errors")) == {error.__name__ for error in CLASSES}


def test_every_reason_has_its_heading_and_no_heading_is_stale() -> None:
    assert list(chapter("Reasons")) == [reason.value for reason in Reason]


@pytest.mark.parametrize("title", ["Errors", "Reasons"])
def test_every_entry_says_what_happened_what_is_safe_and_what_to_do(title: str) -> None:
    assert [name for name, text in chapter(title).items() if not all(part in text for part in PARTS)] == []


@pytest.mark.parametrize("error", CLASSES)
def test_an_errors_entry_has_its_message_and_its_exit_code(error: type[TallymanError]) -> None:
    text = chapter("Errors")[error.__name__]
    assert f"> {(error.__doc__ or '').strip()}\n" in text
    assert f"Exit code {error.exit_code}" in text


def test_the_tree_drawn_in_the_docstring_names_every_error() -> None:
    drawn = set(re.findall(r"^[ │├└─]*([A-Z]\w+)  ", errors.__doc__ or "", flags=re.MULTILINE))
    assert drawn == {error.__name__ for error in CLASSES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    files = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in files if not (page.parent / target).exists()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
