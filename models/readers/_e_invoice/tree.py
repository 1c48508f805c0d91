"""The XML of an e-invoice into a document. Runs in the sandbox's child only: XML is a stranger's file too."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from models.documents import credit_note, invoice, order
from models.readers._e_invoice.paths import CII, CII_LINE, CII_LINES, UBL, UBL_LINE, UBL_LINES, Paths
from models.readers._e_invoice.safe_xml import parse
from models.readers._e_invoice.values import canonical
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Kind, Source

_CII_ROOTS = ("CrossIndustryInvoice", "CrossIndustryDocument")
_ORDER_ROOT = "SCRDMCCBDACIOMessageStructure"
_UBL_ROOTS = ("Invoice", "CreditNote")
_CREDIT_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"})
_DOCUMENTS = (invoice.DOCUMENT_TYPE, credit_note.DOCUMENT_TYPE, order.DOCUMENT_TYPE)
_KINDS = {spec.name: spec.kind for kind in _DOCUMENTS for spec in kind.fields}
_LINE_KINDS = {spec.name: spec.kind for kind in _DOCUMENTS for spec in kind.line_fields}
_STEP = re.compile(r"(\w+)(?:\[(\w+)=(\w+)\])?(?:\((\w+)\))?")


def document(xml: str) -> dict[str, Any] | None:
    """The document as JSON; None when the XML is of another kind. Raises Quarantined and Unreadable."""
    found = _document(parse(xml))
    return None if found is None else found.to_json()


def _document(root: etree._Element) -> Document | None:
    name = etree.QName(root).localname
    if name in (*_CII_ROOTS, _ORDER_ROOT):
        header, lines_at, line = CII, CII_LINES, CII_LINE
    elif name in _UBL_ROOTS:
        header, lines_at, line = UBL, UBL_LINES, UBL_LINE
    else:
        return None
    tree = root.getroottree()
    fields = _fields(root, header, _KINDS, tree)
    _set_tax(root, fields, tree)
    lines = tuple(_line(element, line, tree) for path in lines_at for element in _find(root, path))
    if "invoice_number" not in fields:
        return None
    return Document(type=_type(name, fields), fields=fields, lines=tuple(row for row in lines if row))


def _fields(
    element: etree._Element, paths: Paths, kinds: dict[str, Kind], tree: etree._ElementTree
) -> dict[str, Field]:
    found = {}
    for name, ways in paths.items():
        field = next(
            filter(None, (_field(name, kinds[name], hit, tree) for way in ways for hit in _find(element, way))), None
        )
        if field:
            found[name] = field
    return found


def _field(name: str, kind: Kind, element: etree._Element, tree: etree._ElementTree) -> Field | None:
    raw = element.text or ""
    value = canonical(kind, raw, element.get("format"))
    if value is None:
        return None
    return _exact(name, value, raw, tree.getpath(element))


def _exact(name: str, value: str, raw: str, path: str) -> Field:
    return Field(
        name=name, value=value, raw=raw.strip(), confidence=1.0, source=Source.E_INVOICE, evidence=Evidence(path=path)
    )


def _set_tax(root: etree._Element, fields: dict[str, Field], tree: etree._ElementTree) -> None:
    """VAT can be given twice, in the invoice's and in the accounting currency: the invoice's counts."""
    currency = fields["currency"].value if "currency" in fields else None
    for way in (*CII["tax_total"], *UBL["tax_total"]):
        for element in _find(root, way):
            if currency and element.get("currencyID") == currency:
                field = _field("tax_total", Kind.AMOUNT, element, tree)
                if field:
                    fields["tax_total"] = field
                    return


def _line(element: etree._Element, paths: Paths, tree: etree._ElementTree) -> dict[str, Field]:
    fields = _fields(element, paths, _LINE_KINDS, tree)
    for way in paths["quantity"]:
        for hit in _find(element, way):
            unit = hit.get("unitCode")
            if unit and "unit" not in fields:
                fields["unit"] = _exact("unit", unit, unit, f"{tree.getpath(hit)}/@unitCode")
    return fields


def _find(element: etree._Element, path: str) -> Iterator[etree._Element]:
    """Elements at a path of local names; see `paths` for its form."""
    step, _, rest = path.partition("/")
    match = _STEP.fullmatch(step)
    assert match is not None, path
    name, attribute, value, scheme = match.groups()
    for child in element.iterchildren(f"{{*}}{name}"):
        if attribute and child.get(attribute) != value:
            continue
        if scheme and child.findtext("{*}TaxScheme/{*}ID", "").strip() != scheme:
            continue
        if rest:
            yield from _find(child, rest)
        else:
            yield child


def _type(root: str, fields: dict[str, Field]) -> str:
    """An invoice over a negative total is a credit note, whatever its type code says; so are corrections (384)."""
    if root == _ORDER_ROOT:
        return order.DOCUMENT_TYPE.name
    code = fields["type_code"].value if "type_code" in fields else ""
    total = next((fields[name].amount for name in ("gross_total", "payable_amount") if name in fields), Decimal(0))
    if root == "CreditNote" or code in _CREDIT_CODES or total < 0:
        return credit_note.DOCUMENT_TYPE.name
    return invoice.DOCUMENT_TYPE.name
