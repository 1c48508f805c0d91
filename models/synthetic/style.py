"""How a paper looks: the layout family, the language, the paper, and what a scanner or a phone did to it."""

from typing import Literal

from pydantic import Field

from models.synthetic.specs import Frozen

Language = Literal["eng", "deu", "fra", "spa", "ita", "nld", "pol"]
Paper = Literal["clean", "hybrid", "scan"]

INVOICE_LAYOUTS = ("din", "banner", "grid", "sidebar", "letterhead", "facture", "ledger", "modern")
RECEIPT_LAYOUTS = ("till",)
POD_LAYOUTS = ("delivery", "consignment", "courier", "tally")


class Scan(Frozen):
    """What happens between the printer and the file. Every strength is 0 (off) to 1 (as bad as papers get).

    `skew` is in degrees, clockwise; `dpi` the resolution of the image; `jpeg` its quality, 0 for no JPEG at all.
    """

    dpi: int = Field(default=200, ge=50, le=600)
    colour: bool = False
    skew: float = Field(default=0, ge=-15, le=15)
    noise: float = Field(default=0, ge=0, le=1)
    blur: float = Field(default=0, ge=0, le=1)
    fade: float = Field(default=0, ge=0, le=1)
    speckle: float = Field(default=0, ge=0, le=1)
    fold: float = Field(default=0, ge=0, le=1)
    coffee: float = Field(default=0, ge=0, le=1)
    edge: float = Field(default=0, ge=0, le=1)
    photo: float = Field(default=0, ge=0, le=1)
    stamp: float = Field(default=0, ge=0, le=1)
    """A coloured stamp over the print."""
    fax: bool = False
    """Black and white only, as fax machines and old archive scanners write."""
    jpeg: int = Field(default=75, ge=0, le=100)


SCANS: dict[str, Scan] = {
    "good": Scan(dpi=300, skew=0.3, noise=0.1, blur=0.05, jpeg=85),
    "office": Scan(dpi=200, skew=0.8, noise=0.3, blur=0.2, speckle=0.2, edge=0.4, jpeg=70),
    "folded": Scan(dpi=200, skew=-0.6, noise=0.3, blur=0.2, fold=0.7, edge=0.3, jpeg=70),
    "coffee": Scan(dpi=200, colour=True, skew=1.2, noise=0.3, blur=0.2, coffee=0.7, fold=0.4, jpeg=65),
    "low": Scan(dpi=110, skew=-1.0, noise=0.3, blur=0.3, fade=0.3, jpeg=45),
    "fax": Scan(dpi=150, skew=0.7, noise=0.4, blur=0.2, speckle=0.5, fax=True, jpeg=0),
    "photo": Scan(dpi=170, colour=True, noise=0.4, blur=0.3, photo=0.6, fold=0.4, jpeg=70),
}
"""Named bundles, from a good office scanner to a phone picture."""


CodeKind = Literal[
    "epc", "swiss", "waybill", "sscc", "goods", "carton", "article", "parcel", "stock", "label", "ticket"
]  # fmt: skip


class Code(Frozen):
    """A machine-readable code printed at the end of the paper. `content` is its text; GS1 data as (01)...(10)...

    `module_mm` is the width of its narrowest bar or of one square.
    """

    kind: CodeKind
    content: str
    module_mm: float = Field(default=0.5, gt=0.1, le=2)


class Style(Frozen):
    """The look of one paper.

    `layout` names a family of INVOICE_LAYOUTS or POD_LAYOUTS. Fonts, colours, wordings and formats come from `look`;
    where it is None they come from the name of the seller or shipper, so that a company keeps its look.
    """

    layout: str
    language: Language
    paper: Paper = "clean"
    scan: Scan = SCANS["office"]
    look: int | None = None
    wide: bool = False
    """Whether wordings are drawn from the many that a language has (wide.py), not from a few. Spanish, Italian, Dutch
    and Polish papers are always so."""
    page_size: Literal["A4", "Letter", "Roll"] = "A4"
    terms_page: bool = False
    """Whether a last page of small print follows, on which no field stands."""
    qr: bool = False
    """Whether a payment QR code (EPC 069-12) is printed; only for EUR and a seller with an IBAN."""
    codes: tuple[Code, ...] = ()
    """Further codes, printed below everything else; see `models.synthetic.barcodes.random_codes`."""
