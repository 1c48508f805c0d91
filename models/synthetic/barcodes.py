"""Codes on papers, drawn as SVG: the payment QR code and the bars of a waybill."""

import zxingcpp
from markupsafe import Markup

from models.synthetic.formats import canonical
from models.synthetic.specs import InvoiceSpec


def _svg(content: str, kind: zxingcpp.BarcodeFormat) -> str:
    svg: str = zxingcpp.create_barcode(content, kind).to_svg(add_quiet_zones=False)
    return svg[svg.index("<svg") :]


def payment_code(spec: InvoiceSpec, caption: str) -> Markup:
    """The payment as a QR code by EPC 069-12, version 2: payee, account, amount and the invoice number as the text."""
    rows = (
        "BCD", "002", "1", "SCT", spec.seller.bic, spec.seller.name[:70], spec.seller.iban,
        f"EUR{canonical(spec.totals().payable_amount, 2)}", "", "", spec.number,
    )  # fmt: skip
    svg = _svg("\n".join(rows), zxingcpp.BarcodeFormat.QRCode)
    return Markup('<div class="qr">{}{}</div>').format(Markup(svg), caption)


def bars(content: str) -> Markup:
    """A Code 128 of the content."""
    return Markup(_svg(content, zxingcpp.BarcodeFormat.Code128))
