"""Every system, found by scan, keeps the contract: what can be told without opening it."""

import datetime
import typing
from pathlib import Path

import pytest

from tallyman.browser.element_map import ElementMap, load
from tallyman.contracts.system import DocumentSource, Erp, System
from tallyman.registry import ROOT, Registry

SYSTEMS = Registry().systems
IN_BROWSER = sorted(name for name, system in SYSTEMS.items() if system.capabilities.needs_browser)
COMMITTING = {
    "post",
    "save",
    "done",
    "approve",
    "delete",
    "pay",
    "submit",
    "transfer",
    "buchen",
    "speichern",
    "löschen",
}
"""Captions of buttons that change the target's books."""


def maps(name: str) -> dict[str, ElementMap]:
    return load(ROOT / "selectors" / name)


def session_of(system: System) -> type:
    found = typing.get_type_hints(type(system).open)["return"]
    assert isinstance(found, type)
    return found


def unmarked(element_map: ElementMap) -> list[str]:
    """Elements whose caption says that they commit, and that are not marked so."""
    return [
        f"{element_map.screen}.{name}"
        for name, element in element_map.elements.items()
        if not element.commits
        and any((words or "").casefold() in COMMITTING for one in element.by for words in (one.text, one.value))
    ]


def test_there_are_systems_to_look_at() -> None:
    assert {"folder", "sql_ledger", "practice_erp", "practice_carrier", "practice_supplier"} <= set(SYSTEMS)


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_a_system_is_called_as_its_folder_and_has_a_title(name: str) -> None:
    assert SYSTEMS[name].name == name
    assert SYSTEMS[name].capabilities.title


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_a_session_has_the_verbs_that_its_system_declares(name: str) -> None:
    session = session_of(SYSTEMS[name])
    assert issubclass(session, Erp) == SYSTEMS[name].capabilities.posts
    assert issubclass(session, Erp | DocumentSource), "it has neither the verbs of an ERP nor those of a source"


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_what_a_system_declares_fits_together(name: str) -> None:
    declared = SYSTEMS[name].capabilities
    day = datetime.date(2026, 11, 30)
    written = day.strftime(declared.date_pattern)
    assert datetime.datetime.strptime(written, declared.date_pattern).date() == day  # noqa: DTZ007 - a day has no zone
    assert declared.decimal_sign != declared.group_sign
    "".encode(declared.encoding)
    if declared.max_visibility_delay_s is not None:
        assert declared.settle_s <= declared.max_visibility_delay_s
    if not declared.posts:
        assert declared.attach_phase == "none"


@pytest.mark.parametrize("name", IN_BROWSER)
def test_the_element_maps_load_and_can_tell_a_lost_session(name: str) -> None:
    assert "login" in maps(name)
    assert maps(name)["login"].elements


@pytest.mark.parametrize("name", IN_BROWSER)
def test_every_button_that_commits_is_marked(name: str) -> None:
    assert [place for element_map in maps(name).values() for place in unmarked(element_map)] == []
    marked = [element for element_map in maps(name).values() for element in element_map.elements.values()]
    assert any(element.commits for element in marked) or not SYSTEMS[name].capabilities.posts


def test_a_button_that_commits_and_is_not_marked_is_seen() -> None:
    described = {"screen": "entry", "version": 1, "elements": {"go": {"by": [{"name": "a"}, {"value": "Post"}]}}}
    assert unmarked(ElementMap.model_validate(described)) == ["entry.go"]


def test_element_maps_lie_only_where_a_system_in_the_browser_is() -> None:
    folders = {path.name for path in Path(ROOT, "selectors").iterdir() if path.is_dir()}
    assert folders == set(IN_BROWSER)
