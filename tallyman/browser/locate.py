"""Finds the nodes of a screen by its element map."""

from pathlib import Path
from typing import Any

from playwright.sync_api import ElementHandle, Frame
from playwright.sync_api import Error as PlaywrightError

from tallyman.browser.element_map import Contract, Element
from tallyman.browser.failures import between_documents

SCRIPT = Path(__file__).with_name("locate.js").read_text("utf-8")
"""An expression whose value has `locate`, `table` and `type`; evaluated in a frame."""
_REDRAWN = "the screen was being redrawn"


def wanted(element: Element, n: int | str | None = None) -> dict[str, Any]:
    """What `locate` of the script is asked for."""
    return {"by": [_numbered(contract, n) for contract in element.by], "hidden": element.hidden}


def locate(frame: Frame, element: Element, n: int | str | None) -> tuple[ElementHandle | None, str]:
    """The one node, or None and why it is not there."""
    try:
        node = frame.evaluate_handle(f"(arg) => ({SCRIPT}).locate(arg).node", wanted(element, n)).as_element()
        return node, "" if node else str(frame.evaluate(f"(arg) => ({SCRIPT}).locate(arg).why", wanted(element, n)))
    except PlaywrightError as error:
        if between_documents(error):
            return None, _REDRAWN
        raise


def _numbered(contract: Contract, n: int | str | None) -> dict[str, str]:
    parts = contract.model_dump(exclude_none=True)
    return {key: value.replace("{n}", str(n)) if n is not None else value for key, value in parts.items()}
