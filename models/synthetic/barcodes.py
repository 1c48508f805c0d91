"""Codes on papers, drawn as SVG: payment codes, the bars of waybills, and what else carriers and houses print."""

import io
import random
import re
from collections.abc import Iterable

import numpy as np
import zxingcpp
from markupsafe import Markup
from PIL import Image, ImageDraw
from stdnum import ean, luhn
from stdnum.iso7064 import mod_97_10

from models.synthetic.formats import canonical
from models.synthetic.specs import InvoiceSpec, Party, PodSpec
from models.synthetic.style import Code, CodeKind, Style

BAR_LAYOUTS = ("consignment", "courier", "handheld")
"""The layouts of proofs of delivery that print bars of their own."""
NO_PAYMENT_CODE = ("ledger",)
"""The layouts of invoices that have no place for a payment code."""
_SYMBOLS: dict[CodeKind, zxingcpp.BarcodeFormat] = {
    "epc": zxingcpp.BarcodeFormat.QRCode,
    "swiss": zxingcpp.BarcodeFormat.QRCode,
    "waybill": zxingcpp.BarcodeFormat.Code128,
    "sscc": zxingcpp.BarcodeFormat.Code128,
    "goods": zxingcpp.BarcodeFormat.Code128,
    "carton": zxingcpp.BarcodeFormat.ITF14,
    "article": zxingcpp.BarcodeFormat.EAN13,
    "parcel": zxingcpp.BarcodeFormat.Code128,
    "stock": zxingcpp.BarcodeFormat.DataMatrix,
    "label": zxingcpp.BarcodeFormat.PDF417,
    "ticket": zxingcpp.BarcodeFormat.Aztec,
}
_GS1 = ("sscc", "goods", "stock")
_MODULES_MM: dict[CodeKind, tuple[float, ...]] = {
    "epc": (0.5, 0.6, 0.7), "waybill": (0.33, 0.4, 0.5), "sscc": (0.5, 0.6), "goods": (0.4, 0.5),
    "carton": (0.5, 0.6), "article": (0.33, 0.4), "parcel": (0.38, 0.5), "stock": (0.5, 0.7), "label": (0.4, 0.5),
    "ticket": (0.5, 0.7),
}  # fmt: skip
"""Usual sizes; GS1 asks for 0.495 mm on logistic labels, 0.33 mm in shops; PDF417 and Data Matrix as on parcels."""
_SWISS_MM = 46
"""The one size of a Swiss payment code, whatever it holds."""
_BAR_HEIGHT_MM = 15


def _svg(content: str, kind: zxingcpp.BarcodeFormat, **options: object) -> str:
    # The bars of an ITF-14 stand in a frame: they need their quiet zones inside it.
    framed = kind == zxingcpp.BarcodeFormat.ITF14
    svg: str = zxingcpp.create_barcode(content, kind, **options).to_svg(add_quiet_zones=framed)
    svg = svg[svg.index("<svg") :]
    width, height = _size(svg)
    if "viewBox" in svg or not width:
        return svg
    # Without a view box the drawing would keep its size of one pixel a module, whatever the style says.
    return svg.replace("<svg", f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none"', 1)


def _size(svg: str) -> tuple[int, int]:
    """Width and height in modules; 0 where the drawing does not tell."""
    width, height = (re.search(rf'{side}="(\d+)', svg) for side in ("width", "height"))
    return (int(width[1]), int(height[1])) if width and height else (0, 0)


def has_payment_code(spec: InvoiceSpec, style: Style) -> bool:
    """Whether the layout's own payment code is printed."""
    return bool(style.qr and spec.currency == "EUR" and spec.seller.iban and spec.kind == "invoice")


def epc(spec: InvoiceSpec) -> str:
    """The payment by EPC 069-12, version 2: payee, account, amount and the invoice number as the text."""
    rows = (
        "BCD", "002", "1", "SCT", spec.seller.bic, spec.seller.name[:70], spec.seller.iban,
        f"EUR{canonical(spec.totals().payable_amount, 2)}", "", "", spec.number,
    )  # fmt: skip
    return "\n".join(rows)


def swiss(spec: InvoiceSpec, reference: str, kind: str) -> str:
    """The payment by the Swiss implementation guidelines for the QR-bill, version 2.3. `kind`: QRR, SCOR or NON."""
    rows = (
        "SPC", "0200", "1", spec.seller.iban, *_address(spec.seller), *[""] * 7,
        canonical(spec.totals().payable_amount, 2), spec.currency, *_address(spec.buyer), kind, reference,
        spec.number, "EPD",
    )  # fmt: skip
    return "\r\n".join(rows)


def _address(party: Party) -> tuple[str, ...]:
    """A structured address: type, name, street, house number, postcode, town, country."""
    street, _, house = party.street.rpartition(" ")
    return ("S", party.name[:70], street.rstrip(",")[:70], house[:16], party.postcode, party.city, party.country)


def payment_code(spec: InvoiceSpec, caption: str) -> Markup:
    """The payment as a QR code, see `epc`."""
    svg = _svg(epc(spec), zxingcpp.BarcodeFormat.QRCode)
    return Markup('<div class="qr">{}{}</div>').format(Markup(svg), caption)  # noqa: S704 - drawn by zxing


def bars(content: str) -> Markup:
    """A Code 128 of the content."""
    return Markup(_svg(content, zxingcpp.BarcodeFormat.Code128))  # noqa: S704 - drawn by zxing


def drawn(codes: Iterable[Code]) -> Markup:
    """The codes of a style in their true size, side by side; nothing where there are none."""
    pictures = [_picture(number, code) for number, code in enumerate(codes)]
    return Markup('<div class="codes">{}</div>').format(Markup("").join(pictures)) if pictures else Markup("")


def _picture(number: int, code: Code) -> Markup:
    options: dict[str, object] = {"gs1": True} if code.kind in _GS1 else {}
    if code.kind in ("epc", "swiss"):
        options = {"ec_level": "M"}
    svg = _svg(code.content, _SYMBOLS[code.kind], **options)
    across, down = _size(svg)
    linear = _SYMBOLS[code.kind] in (
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.ITF14,
        zxingcpp.BarcodeFormat.EAN13,
    )
    width, height = across * code.module_mm, _BAR_HEIGHT_MM if linear else down * code.module_mm
    cross = Markup("")
    if code.kind == "swiss":
        width = height = _SWISS_MM
        cross = _CROSS
    sized = svg.replace("<svg", f'<svg style="width:{width:.2f}mm;height:{height:.2f}mm"', 1)
    return Markup('<div data-field="code.{}" data-text="{}">{}{}</div>').format(
        number,
        code.kind,
        Markup(sized),  # noqa: S704 - drawn by zxing
        cross,
    )


_CROSS = Markup(
    '<svg viewBox="0 0 7 7" style="position:absolute;left:19.5mm;top:19.5mm;width:7mm;height:7mm">'
    '<path fill="#fff" d="M0 0h7v7H0z"/><path d="M.4.4h6.2v6.2H.4z"/><path fill="#fff" d="M2.9 1.4h1.2v4.2H2.9z"/>'
    '<path fill="#fff" d="M1.4 2.9h4.2v1.2H1.4z"/></svg>'
)
"""The Swiss cross in the middle of the code, 7 mm wide; the code's own redundancy makes up for what it hides."""


def printed(spec: InvoiceSpec | PodSpec, style: Style) -> list[str]:
    """The texts of all codes on a paper, as a reader has to give them (line feeds alone end rows)."""
    texts = [code.content for code in style.codes]
    if isinstance(spec, PodSpec):
        texts += [spec.waybill or spec.number] if style.layout in BAR_LAYOUTS else []
    elif has_payment_code(spec, style):
        texts += [] if style.layout in NO_PAYMENT_CODE else [epc(spec)]
    return [text.replace("\r\n", "\n") for text in texts]


def random_codes(spec: InvoiceSpec | PodSpec, seed: int) -> tuple[Code, ...]:
    """One to three codes that a paper like this may carry. The same for the same arguments."""
    rng = random.Random(f"codes/{seed}")
    kinds: list[CodeKind] = ["waybill", "sscc", "goods", "carton", "article", "parcel", "stock", "label", "ticket"]
    if isinstance(spec, PodSpec):
        return tuple(_code(rng, kind, spec.waybill) for kind in rng.sample(kinds, rng.randint(1, 2)))
    payable = spec.kind == "invoice" and spec.seller.iban
    if payable and spec.seller.country == "CH":
        return (Code(kind="swiss", content=_swiss(rng, spec)),)
    if payable and spec.currency == "EUR":
        return (Code(kind="epc", content=epc(spec), module_mm=rng.choice(_MODULES_MM["epc"])),)
    return (_code(rng, rng.choice(kinds), spec.number),)


def _swiss(rng: random.Random, spec: InvoiceSpec) -> str:
    if rng.random() < 0.5:
        return swiss(spec, "", "NON")
    body = f"{rng.randint(0, 10**12 - 1):012d}"
    return swiss(spec, f"RF{98 - int(mod_97_10.checksum(body + 'RF00')):02d}{body}", "SCOR")


def _code(rng: random.Random, kind: CodeKind, number: str) -> Code:
    return Code(kind=kind, content=_content(rng, kind, number), module_mm=rng.choice(_MODULES_MM[kind]))


def _content(rng: random.Random, kind: CodeKind, number: str) -> str:
    def digits(count: int) -> str:
        return "".join(rng.choices("0123456789", k=count))

    def checked(body: str) -> str:
        return body + ean.calc_check_digit(body)

    match kind:
        case "sscc":
            return f"(00){checked('3' + digits(16))}"
        case "goods":
            return f"(01){checked('0' + digits(12))}(15)27{rng.randint(1, 12):02d}15(10)LOT{digits(5)}"
        case "stock":
            return f"(01){checked('0' + digits(12))}(37){rng.randint(2, 400)}"
        case "carton":
            return checked("1" + digits(12))
        case "article":
            return checked("4" + digits(11))
        case "parcel":
            body = digits(8)
            return f"RR{body}{_s10_digit(body)}DE"
        case "label":
            body = digits(11)
            return f"{number or 'LS'}|{body}{luhn.calc_check_digit(body)}|{rng.randint(1, 30)} KG"
        case _:
            return number or f"LS{digits(8)}"


def _s10_digit(body: str) -> str:
    """The check digit of UPU S10."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


SEPARATOR = "TALLYMAN-SEPARATOR"
"""The text of the code on a sheet that parts two documents in a scanner's feeder."""


def separator() -> bytes:
    """A PDF of one separator sheet: the code as a picture, and what it is for."""
    bars = zxingcpp.create_barcode(SEPARATOR, zxingcpp.BarcodeFormat.Code128).to_image(scale=4)
    code = Image.fromarray(np.array(bars)).resize((1400, 400), Image.Resampling.NEAREST)
    sheet = Image.new("L", (1654, 2339), 255)
    for top in (300, 1600):
        sheet.paste(code, (127, top))
    ImageDraw.Draw(sheet).text((500, 1100), "SEPARATOR - put this sheet between two documents", fill=0, font_size=28)
    buffer = io.BytesIO()
    sheet.save(buffer, "PDF", resolution=200)
    return buffer.getvalue()
