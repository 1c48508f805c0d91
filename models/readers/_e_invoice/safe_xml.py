"""A stranger's XML into a tree, with nothing in it that could do harm."""

import re

from lxml import etree

from tallyman.errors import Quarantined, Unreadable

MAX_CHARS = 10 * 1024 * 1024
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def parse(text: str) -> etree._Element:
    """The root element. Raises Quarantined (a DOCTYPE, or too large) and Unreadable.

    An honest e-invoice never has a DOCTYPE; with it go entities, and with them every known attack on XML parsers.
    """
    if len(text) > MAX_CHARS:
        raise Quarantined("The XML is too large for an invoice.")
    body = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1)
    if "<!DOCTYPE" in body.upper():
        raise Quarantined("The XML has a DOCTYPE, which no honest e-invoice has; it was not read.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        return etree.fromstring(body.strip().encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("The XML is damaged.") from error
