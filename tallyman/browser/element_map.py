"""Element maps: `selectors/<system>/<screen>.yaml`, data only. Says where each element of a screen is found, twice.

    screen: invoice_entry
    version: 1
    frame: main_window            # name of the frame, or none for the page itself
    ready: [post]                 # elements that stand at the end of the screen; read nothing before they are there
    elements:
      number:
        by: [{name: invnumber}, {label: Invoice Number}]
      amount:                     # numbered rows: screen.fill("amount", value, n=2)
        by: [{name: "amount_{n}"}, {column: Amount}]
      post:
        commits: true             # only Screen.commit may click it, with a permit
        by: [{name: action, value: Post}, {text: Post}]
    tables:
      results:
        columns: {number: Invoice, date: Date, gross: Total}

Each element has two or more independent contracts, and they must resolve to one and the same node: labels that were
swapped under unchanged names fool every single contract.
"""

from pathlib import Path
from typing import Self

import yaml
from pydantic import ValidationError, model_validator

from tallyman.domain.base import Value
from tallyman.errors import ConfigurationError


class Contract(Value):
    """One way to find a node. All parts that are given must hold."""

    name: str | None = None
    id: str | None = None
    value: str | None = None
    """The value attribute: tells submits of one name apart."""
    label: str | None = None
    """The text of its label, or of the table cell before it. Compared without case, spaces and a closing colon."""
    text: str | None = None
    """The visible text of a link or the caption of a button."""
    column: str | None = None
    """The header over it in a table."""
    type: str | None = None
    """The control's type: text, select, textarea, submit, link, password, checkbox, radio, file."""
    css: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("a contract says at least one thing about its element")
        return self


class Element(Value):
    by: tuple[Contract, ...]
    commits: bool = False
    hidden: bool = False
    """It is not visible to people, yet part of the form."""

    @model_validator(mode="after")
    def _twice(self) -> Self:
        if len(self.by) < 2:
            raise ValueError("an element needs two contracts that must agree")
        return self


class Table(Value):
    """A table that is found by its column headers. `columns` maps our names to the headers on the screen."""

    columns: dict[str, str]


class ElementMap(Value):
    screen: str
    version: int
    frame: str | None = None
    ready: tuple[str, ...] = ()
    elements: dict[str, Element] = {}
    tables: dict[str, Table] = {}

    @model_validator(mode="after")
    def _ready_is_known(self) -> Self:
        if unknown := set(self.ready) - set(self.elements):
            raise ValueError(f"ready names unknown elements: {', '.join(sorted(unknown))}")
        return self


def load(folder: Path) -> dict[str, ElementMap]:
    """All maps of a system's folder by screen. Raises ConfigurationError, which names the file and the place."""
    maps: dict[str, ElementMap] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            found = ElementMap.model_validate(yaml.safe_load(file.read_text("utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise ConfigurationError(f"{file.name} of {folder.name} is no element map: {error}") from error
        if found.screen != file.stem:
            raise ConfigurationError(f"{file.name} of {folder.name} describes screen {found.screen!r}.")
        maps[found.screen] = found
    if not maps:
        raise ConfigurationError(f"{folder} holds no element maps.")
    return maps
