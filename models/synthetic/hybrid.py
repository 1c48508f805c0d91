"""Hybrid invoices: the PDF with its data as CII XML inside (Factur-X / ZUGFeRD, profile EN 16931)."""

import datetime
import io
from functools import cache
from pathlib import Path

import facturx
import jinja2
import pikepdf

from models.synthetic.formats import canonical
from models.synthetic.specs import InvoiceSpec

TYPE_CODES = {"invoice": "380", "credit_note": "381"}


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"amount": lambda value: canonical(value, 2), "plain": canonical, "day": _day}
    return environment.get_template("cii.xml.j2")


def _day(value: datetime.date) -> str:
    return f"{value:%Y%m%d}"


def cii(spec: InvoiceSpec) -> bytes:
    """The invoice as Cross Industry Invoice XML, UTF-8. Sums are those of the spec, wrong ones too."""
    return _template().render(spec=spec, sums=spec.totals(), type_code=TYPE_CODES[spec.kind]).encode()


def embed(pdf: bytes, spec: InvoiceSpec) -> bytes:
    """The PDF with the XML attached; the XML is checked against the schema of its profile."""
    metadata = {
        "author": spec.seller.name,
        "keywords": "Factur-X, Invoice",
        "title": f"{spec.seller.name}: {spec.number}",
        "subject": f"Invoice {spec.number}",
    }
    made = facturx.generate_from_binary(pdf, cii(spec), flavor="factur-x", level="en16931", pdf_metadata=metadata)
    return _undated(made, spec.issue_date)


def _undated(pdf: bytes, day: datetime.date) -> bytes:
    """The PDF with the day of the invoice wherever today's time was written."""
    stamp, iso = f"D:{day:%Y%m%d}080000Z", f"{day.isoformat()}T08:00:00+00:00"
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for key in ("/CreationDate", "/ModDate"):
            opened.docinfo[key] = pikepdf.String(stamp)
        with opened.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            for name in ("xmp:CreateDate", "xmp:ModifyDate", "xmp:MetadataDate"):
                if name in metadata:
                    metadata[name] = iso
        for spec in opened.attachments.values():
            for file in (spec.get_file(name) for name in spec.get_all_filenames()):
                file.obj.Params = pikepdf.Dictionary(Size=file.size, ModDate=pikepdf.String(stamp))
        opened.save(buffer, deterministic_id=True)
    return buffer.getvalue()
