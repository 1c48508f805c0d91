"""Codes on papers, drawn as SVG: the payment QR code and the bars of a waybill."""

import re

import zxingcpp
from markupsafe import Markup

from models.synthetic.formats import canonical
from models.synthetic.specs import InvoiceSpec


def _svg(content: str, kind: zxingcpp.BarcodeFormat) -> str:
    svg: str = zxingcpp.create_barcode(content, kind).to_svg(add_quiet_zones=False)
    svg = svg[svg.index("<svg") :]
    width, height = (re.search(rf'{side}="(\d+)', svg) for side in ("width", "height"))
    if "viewBox" in svg or width is None or height is None:
        return svg
    # Without a view box the drawing would keep its size of one pixel a module, whatever the style says.
    return svg.replace("<svg", f'<svg viewBox="0 0 {width[1]} {height[1]}" preserveAspectRatio="none"', 1)


def payment_code(spec: InvoiceSpec, caption: str) -> Markup:
    """The payment as a QR code by EPC 069-12, version 2: payee, account, amount and the invoice number as the text."""
    rows = (
        "BCD", "002", "1", "SCT", spec.seller.bic, spec.seller.name[:70], spec.seller.iban,
        f"EUR{canonical(spec.totals().payable_amount, 2)}", "", "", spec.number,
    )  # fmt: skip
    svg = _svg("\n".join(rows), zxingcpp.BarcodeFormat.QRCode)
    return Markup('<div class="qr">{}{}</div>').format(Markup(svg), caption)  # noqa: S704 - drawn by zxing


def bars(content: str) -> Markup:
    """A Code 128 of the content."""
    return Markup(_svg(content, zxingcpp.BarcodeFormat.Code128))  # noqa: S704 - drawn by zxing
