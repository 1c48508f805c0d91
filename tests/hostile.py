"""Files as an enemy would send them: bombs, floods, loops, garbage in every decoder, polyglots, and odd names.

`files(seed)` makes the same files for the same seed. Each is small; what it would unpack to is not. Real documents to
cut and to fuzz come from the caller; a page with a text layer, a scan and an e-mail are always among them.
"""

import io
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf
import pillow_heif
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from tests.unit.ocr.paper import text_pdf

LINES = tuple(
    (60.0, 80.0 + 20 * row, text)
    for row, text in enumerate(["Rechnung Nr. 4711 vom 05.03.2025", "Müller & Söhne GmbH", "Summe 1.234,56 EUR"] * 4)
)
XML = b'<?xml version="1.0" encoding="UTF-8"?><Invoice xmlns="urn:oasis:names:Invoice-2"><ID>1</ID></Invoice>'


MANY_PAGES = "many pages"
"""The kind of files that take minutes, as honest ones of so many pages do too."""
Made = Iterator[tuple[str, bytes]]
"""Names and contents."""


@dataclass(frozen=True)
class Hostile:
    """`kind` groups files for the table; `name` says what it is, with the ending under which it is sent."""

    kind: str
    name: str
    content: bytes


def files(seed: int, real: Sequence[bytes] = ()) -> Iterator[Hostile]:
    """More than 300 files; made one by one, so that only one is in memory. `real`: documents to cut and fuzz."""
    dice = random.Random(seed)
    honest = _honest(dice) | {f"real-{n}.pdf": content for n, content in enumerate(real)}
    makers: dict[str, Callable[[random.Random], Made]] = {
        "bombs": _bombs,
        "page floods": _page_floods,
        "pixel floods": _pixel_floods,
        "cut": partial(_cut, honest),
        "fuzzed": partial(_fuzzed, honest),
        "loops": _loops,
        "codecs": _codecs,
        "fonts": _fonts,
        "XML": _xml,
        "polyglots": partial(_polyglots, honest),
        "ZIP": partial(_zips, honest),
        "names": _names,
        "e-mails": _mails,
        "disguises": _disguises,
        "TIFF": _tiffs,
        MANY_PAGES: _many_pages,
    }
    for kind, maker in makers.items():
        for name, content in maker(dice):
            yield Hostile(kind, name, content)


# -- honest files, to begin with


def _honest(dice: random.Random) -> dict[str, bytes]:
    pillow_heif.register_heif_opener()
    picture = Image.new("L", (620, 877), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, text in LINES:
        draw.text((x, y), text, fill=0)
    made = {"text.pdf": _text(), "scan.pdf": _scan(picture)}
    for name in ("scan.png", "scan.jpg", "scan.tif", "scan.webp", "scan.heic"):
        made[name] = _saved(picture, name)
    made["two.tif"] = _saved(picture, "two.tif", save_all=True, append_images=[picture.copy()])
    made["mail.eml"] = mail(("a.pdf", _text())).as_bytes()
    made["files.zip"] = zipped(("a.pdf", _text()), ("b.xml", XML))
    made["bill.xml"] = XML
    dice.random()
    return made


def _text() -> bytes:
    with TemporaryDirectory() as folder:
        out = io.BytesIO()
        with pikepdf.open(text_pdf(Path(folder) / "a.pdf", [LINES], {"factur-x.xml": XML})) as document:
            document.save(out, static_id=True)
        return out.getvalue()


def _scan(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    then = time.gmtime(0)
    picture.save(out, "PDF", resolution=75, creationDate=then, modDate=then)
    return out.getvalue()


def _saved(picture: Image.Image, name: str, **how: object) -> bytes:
    out = io.BytesIO()
    kinds = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}
    ending = name.rpartition(".")[2]
    picture.convert("RGB").save(out, kinds.get(ending, ending.upper()), **how)
    return out.getvalue()


def mail(*attached: tuple[str, bytes]) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.com", "Rechnung"
    message.set_content("Please find attached.")
    for name, content in attached:
        message.add_attachment(content, "application", "octet-stream", filename=name)
    message.set_boundary("=-=")
    return message


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as archive:
        for name, content in members:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, content, packed)
    return out.getvalue()


def zeros(size: int) -> bytes:
    """What zlib makes of so many zeros, without taking its time: one packed block of them, repeated."""
    block = 10**7
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return b"\x78\xda" + packed * (size // block) + end + struct.pack(">I", (size % 65521) << 16 | 1)


def pdf(*objects: bytes, root: int = 1, more: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1, with a right table of where they are."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, root, more, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def one_page(content: bytes, entries: bytes = b"", *more: bytes, resources: bytes = b"") -> bytes:
    """A PDF with one page that shows `content`; `more` are objects from number 5 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%s>>>>" % resources
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page, stream(content, entries), *more)


_IMAGE = b"/XObject<</I 5 0 R>>"
_SHOW = b"q 500 0 0 700 40 70 cm /I Do Q"


# -- too much of something


def _bombs(dice: random.Random) -> Made:
    for size in (10**8, 5 * 10**8, 2 * 10**9):
        yield f"flate-{size}.pdf", one_page(zeros(size), b"/Filter/FlateDecode")
        twice = zlib.compress(zeros(size), 9)
        yield f"flate-twice-{size}.pdf", one_page(twice, b"/Filter[/FlateDecode/FlateDecode]")
    thrice = zlib.compress(zlib.compress(zeros(2 * 10**9), 9), 9)
    yield "flate-thrice.pdf", one_page(thrice, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]")
    for side in (10_000, 30_000, 65_000):
        form = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8" % (side, side)
        image = stream(zeros(min(side * side * 3, 10**9)), form + b"/Filter/FlateDecode")
        yield f"image-{side}.pdf", one_page(_SHOW, b"", image, resources=_IMAGE)
    spec = b"<</Type/Filespec/F(factur-x.xml)/UF(factur-x.xml)/EF<</F 6 0 R>>>>"
    tree = b"/Names<</EmbeddedFiles<</Names[(factur-x.xml) 5 0 R]>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    attached = stream(zeros(10**9), b"/Type/EmbeddedFile/Filter/FlateDecode")
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R%s>>" % tree, b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    yield "attachment.pdf", pdf(catalog, pages, page, b"null", spec, attached)
    yield "operators.pdf", one_page(zlib.compress(b"0 0 m 9 9 l S " * 4_000_000), b"/Filter/FlateDecode")
    yield "saves.pdf", one_page(zlib.compress(b"q " * 20_000_000), b"/Filter/FlateDecode")
    shown = zlib.compress(b"BT /F1 9 Tf 9 9 Td (%s) Tj ET " % (b"A" * 30_000_000))
    yield "text.pdf", one_page(shown, b"/Filter/FlateDecode")
    pattern = b"/Pattern<</P 5 0 R>>"
    tile = stream(b"0 0 1 1 re f", b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001")
    yield "tiling.pdf", one_page(b"/Pattern cs /P scn 0 0 595 842 re f", b"", tile, resources=pattern)


def _page_floods(dice: random.Random) -> Made:
    for count in (300, 10_000, 100_000):
        kids = b" ".join([b"3 0 R"] * count)
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
        tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
        yield f"pages-{count}.pdf", pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page)
    for count in (2**31 - 1, -1):
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
        tree = b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % count
        yield f"lying-{count}.pdf", pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page)
    levels = [b"<</Type/Pages/Kids[%s]/Count 10000000>>" % (b"%d 0 R " % (n + 3) * 10) for n in range(7)]
    page = b"<</Type/Page/MediaBox[0 0 595 842]>>"
    yield "tree-of-tens.pdf", pdf(b"<</Type/Catalog/Pages 2 0 R>>", *levels, page)
    for box in (b"0 0 1e9 1e9", b"0 0 0 0", b"0 0 -5 -5", b"0 0 nan inf", b"0 0 100000 0.001"):
        tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]>>" % box
        yield f"box-{box.decode()}.pdf", pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page)


def _pixel_floods(dice: random.Random) -> Made:
    for side in (15_000, 60_000, 2**31 - 1):
        yield f"{side}.png", _png(side, side)
    yield "row.png", _png(90_000_000, 1)
    yield "under-the-limit.png", _png(9_900, 9_900, zeros(9_900 * 9_901))
    honest = _saved(Image.new("RGB", (64, 64)), "a.jpg")
    for side in (12_000, 65_535):
        start = honest.index(b"\xff\xc0")
        yield f"{side}.jpg", honest[: start + 5] + struct.pack(">HH", side, side) + honest[start + 9 :]
    for side in (12_000, 100_000, 2**31):
        yield f"{side}.tif", _tiff([(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)])
    for side in (12_000, 16_383):
        size = (side - 1).to_bytes(3, "little")
        head = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size + size
        yield f"{side}.webp", b"RIFF" + struct.pack("<I", 4 + len(head)) + b"WEBP" + head
        lossless = b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes(20)
        body = b"VP8L" + struct.pack("<I", len(lossless)) + lossless
        yield f"lossless-{side}.webp", b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    heic = _saved(Image.new("RGB", (64, 64)), "a.heic")
    start = heic.index(b"ispe")
    for side in (20_000, 2**31):
        yield f"{side}.heic", heic[: start + 8] + struct.pack(">II", side, side) + heic[start + 16 :]
    frames = [Image.new("L", (8, 8), n % 256) for n in range(1000)]
    yield "frames.webp", _saved(frames[0], "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    yield "frames.tif", _saved(frames[0], "a.tif", save_all=True, append_images=frames[1:])


def _png(width: int, height: int, packed: bytes | None = None) -> bytes:
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", packed or zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _tiff(entries: list[tuple[int, int, int]], following: int = 0) -> bytes:
    """A TIFF with one directory of (tag, type, value), and the place of the next directory."""
    packed = b"".join(struct.pack("<HHII", tag, kind, 1, value & 0xFFFFFFFF) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


# -- damaged


def _cut(honest: dict[str, bytes], dice: random.Random) -> Made:
    for name, content in honest.items():
        for share in (0.02, 0.3, 0.6, 0.9, 0.995):
            size = max(1, int(len(content) * min(0.999, share * dice.uniform(0.9, 1.0))))
            yield f"{size}-of-{name}", content[:size]


def _fuzzed(honest: dict[str, bytes], dice: random.Random) -> Made:
    for name, content in honest.items():
        for number in range(8):
            changed = bytearray(content)
            for _ in range(dice.choice((1, 5, 50, 500))):
                place = dice.randrange(max(1, len(changed)))
                way = dice.randrange(3)
                if way == 0:
                    changed[place : place + 1] = bytes([dice.randrange(256)])  # nothing may be left to change
                elif way == 1:
                    changed[place : place + 8] = dice.randbytes(dice.randrange(12))
                else:
                    changed[place : place + 4] = dice.choice(
                        (b"\xff\xff\xff\xff", b"\0\0\0\0", b"9999", b"\x7f\xff\xff\xff")
                    )
            yield f"{number}-{name}", bytes(changed)


def _loops(dice: random.Random) -> Made:
    catalog, tree = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s>>"
    yield "tree-to-itself.pdf", pdf(catalog, b"<</Type/Pages/Kids[2 0 R]/Count 1>>")
    yield "tree-to-its-parent.pdf", pdf(catalog, tree, b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 9>>")
    yield "page-is-its-parent.pdf", pdf(catalog, tree, b"<</Type/Page/Parent 3 0 R>>")
    yield (
        "length-of-itself.pdf",
        pdf(catalog, tree, page % b"/Contents 4 0 R", b"<</Length 4 0 R>>\nstream\nq\nendstream"),
    )
    yield "contents-of-themselves.pdf", pdf(catalog, tree, page % b"/Contents 4 0 R", b"[4 0 R 4 0 R 4 0 R]")
    form = stream(b"/I Do /I Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I 5 0 R>>>>")
    yield "form-in-itself.pdf", one_page(b"/I Do", b"", form, resources=_IMAGE)
    forms = [
        stream(b"/I Do " * 10, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I %d 0 R>>>>" % (n + 6))
        for n in range(12)
    ]
    yield (
        "forms-of-tens.pdf",
        one_page(b"/I Do", b"", *forms, stream(b"f", b"/Subtype/Form/BBox[0 0 9 9]"), resources=_IMAGE),
    )
    mask = stream(
        b"\0", b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/SMask 5 0 R"
    )
    yield "mask-of-itself.pdf", one_page(_SHOW, b"", mask, resources=_IMAGE)
    yield (
        "names-in-names.pdf",
        pdf(
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 4 0 R>>>>", tree, page % b"", b"<</Kids[4 0 R 4 0 R]>>"
        ),
    )
    yield (
        "colours-of-colours.pdf",
        one_page(b"/C cs 1 sc", b"", b"[/ICCBased 5 0 R]", resources=b"/ColorSpace<</C 5 0 R>>"),
    )
    whole = pdf(catalog, tree, page % b"")
    start = whole.rindex(b"xref\n0")
    yield "table-before-itself.pdf", pdf(catalog, tree, page % b"", more=b"/Prev %d" % start)
    yield "table-nowhere.pdf", whole.replace(b"startxref\n", b"startxref\n99999")
    packed = stream(b"1 0 2 20 <</Type/Catalog>>      <</Type/Pages>>", b"/Type/ObjStm/N 2/First 8/Extends 4 0 R")
    yield "objects-in-objects.pdf", pdf(catalog, tree, page % b"", packed)
    table = stream(bytes(range(60)), b"/Type/XRef/Size 9/W[1 2 1]/Index[0 999999999]/Root 1 0 R/Prev 9")
    yield "xref-stream.pdf", b"%PDF-1.7\n1 0 obj\n" + table + b"\nendobj\nstartxref\n9\n%%EOF"
    deep = b"[" * 100_000 + b"]" * 100_000
    yield "deep-array.pdf", pdf(catalog, tree, page % (b"/X " + deep))
    yield "deep-dictionary.pdf", pdf(b"<</A" * 50_000 + b" 1" + b">>" * 50_000, tree, page % b"")
    yield (
        "encrypted-by-garbage.pdf",
        pdf(catalog, tree, page % b"", more=b"/Encrypt<</Filter/Standard/V 5/R 6/O()/U()/P -1>>"),
    )


def _codecs(dice: random.Random) -> Made:
    form = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent %d/Filter/%s"
    starts = {
        b"JBIG2Decode": b"\0\0\0\0\x30\0\x01\0\0\0\x13\0\0\x27\x10\0\0\x27\x10",
        b"JPXDecode": b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 ",
        b"CCITTFaxDecode": b"\0\x01",
        b"DCTDecode": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
        b"LZWDecode": b"\x80\x0b",
        b"RunLengthDecode": b"\x81\0",
    }
    for name, start in starts.items():
        for number, side in enumerate((100, 5_000, 40_000)):
            bits = 1 if name in (b"JBIG2Decode", b"CCITTFaxDecode") else 8
            image = stream(start + dice.randbytes(3_000), form % (side, side, bits, name))
            yield f"{number}-{name.decode()}.pdf", one_page(_SHOW, b"", image, resources=_IMAGE)


def _fonts(dice: random.Random) -> Made:
    starts = {
        b"FontFile2": b"\0\x01\0\0\0\x0a\0\x80\0\x03\0\x20glyf" + bytes(12) + b"loca" + bytes(12) + b"head",
        b"FontFile3": b"\x01\0\x04\x04\0\x01\x01\x01\x05Font\0",
        b"FontFile": b"%!PS-AdobeFont-1.0: F\n/FontMatrix[0 0 0 0 0 0]def /Subrs 99999 array eexec\n",
    }
    for name, start in starts.items():
        for number in range(5):
            kind = b"/Subtype/Type1C" if name == b"FontFile3" else b""
            described = b"<</Type/FontDescriptor/FontName/F/Flags 4/FontBBox[0 0 9 9]/%s 7 0 R>>" % name
            letter = b"TrueType" if name == b"FontFile2" else b"Type1"
            font = b"<</Type/Font/Subtype/%s/BaseFont/F/FirstChar 0/LastChar 255/FontDescriptor 6 0 R>>" % letter
            shown = b"BT /F 30 Tf 90 400 Td (%s) Tj ET" % (b"ABCDEFGH" * 5)
            data = stream(start + dice.randbytes(4_000), kind)
            yield (
                f"{number}-{name.decode()}.pdf",
                one_page(shown, b"", font, described, data, resources=b"/Font<</F 5 0 R>>"),
            )


# -- XML


def _xml(dice: random.Random) -> Made:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    yield "laughs.xml", f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><Invoice>&l9;</Invoice>'.encode()
    quadratic = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]><Invoice>{"&a;" * 50_000}</Invoice>'
    yield "quadratic.xml", b'<?xml version="1.0"?>' + quadratic.encode()
    for place in ("file:///etc/passwd", "http://127.0.0.1:1/x", "file:///dev/zero"):
        told = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{place}">]><Invoice>&e;</Invoice>'
        yield f"external-{place[-4:].strip('/')}.xml", told.encode()
    yield "foreign-dtd.xml", b'<?xml version="1.0"?><!DOCTYPE Invoice SYSTEM "http://127.0.0.1:1/a.dtd"><Invoice/>'
    yield "parameter.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><Invoice/>'
    yield "deep.xml", b'<?xml version="1.0"?>' + b"<Invoice>" * 200_000 + b"</Invoice>" * 200_000
    yield "wide.xml", b'<?xml version="1.0"?><Invoice>' + b"<ID>1</ID>" * 900_000 + b"</Invoice>"
    yield (
        "attributes.xml",
        b'<?xml version="1.0"?><Invoice ' + b" ".join(b'a%d="1"' % n for n in range(200_000)) + b"/>",
    )
    yield "large.xml", b'<?xml version="1.0"?><Invoice>' + b"x" * 11_000_000 + b"</Invoice>"
    include = b'<xi:include href="file:///etc/passwd" parse="text"/>'
    yield "include.xml", b'<Invoice xmlns:xi="http://www.w3.org/2001/XInclude">%s</Invoice>' % include
    yield "sheet.xml", b'<?xml version="1.0"?><?xml-stylesheet href="file:///etc/passwd"?><Invoice/>'
    for encoding in ("utf-7", "ebcdic-cp-us", "utf-32", "rot13", "x" * 300):
        yield f"{encoding[:9]}.xml", f'<?xml version="1.0" encoding="{encoding}"?><Invoice/>'.encode()
    yield "utf-16-cut.xml", '<?xml version="1.0"?><Invoice>ä</Invoice>'.encode("utf-16")[:-1]


# -- two things at once


def _polyglots(honest: dict[str, bytes], dice: random.Random) -> Made:
    text, scan, archive = honest["text.pdf"], honest["scan.jpg"], honest["files.zip"]
    yield "pdf-then-zip.pdf", text + archive
    yield "zip-then-pdf.zip", archive + text
    yield "zip-with-pdf-inside.pdf", zipped(("a.pdf", text), packed=zipfile.ZIP_STORED)
    yield "jpeg-then-zip.jpg", scan + archive
    yield "html-then-pdf.pdf", b"<html><script>alert(1)</script><!--" + text
    yield "pdf-in-a-comment.html", b"%PDF-1.4\n<html><script>alert(1)</script></html>"
    yield "png-then-pdf.png", honest["scan.png"] + text
    yield "mail-then-pdf.eml", b"Content-Type: application/pdf\r\n\r\n" + text
    yield "xml-then-pdf.xml", XML + text
    yield "gif-and-script.pdf", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)"
    yield "pdf-twice.pdf", text + text
    yield "junk-before.pdf", dice.randbytes(900) + text
    yield "junk-far-before.pdf", dice.randbytes(2_000) + text


def _zips(honest: dict[str, bytes], dice: random.Random) -> Made:
    text = honest["text.pdf"]
    yield "ratio.zip", zipped(("a.pdf", bytes(90_000_000)))
    yield "many-large.zip", zipped(*((f"{n}.pdf", b"%PDF-" + bytes(9_000_000)) for n in range(12)))
    layers = text
    for _ in range(30):
        layers = zipped(("inner.zip", layers))
    yield "thirty-layers.zip", layers
    ten = zipped(("a.pdf", bytes(9_000_000)))
    for _ in range(2):
        ten = zipped(*((f"{n}.zip", ten) for n in range(16)))
    yield "sixteen-by-sixteen.zip", ten
    yield "10000-entries.zip", zipped(*((f"{n}.pdf", b"x") for n in range(10_000)))
    yield "10000-folders.zip", zipped(*((f"{n}/", b"") for n in range(10_000)))
    yield "overlapping.zip", _overlapping(zeros(50_000_000)[2:-4], 50_000_000, 200)
    yield "in-itself.zip", honest["files.zip"].replace(b"a.pdf", b"a.zip")
    lies = bytearray(zipped(("a.pdf", text)))
    end = lies.index(b"PK\x01\x02")
    lies[end + 24 : end + 28] = struct.pack("<I", 2**32 - 2)
    yield "lying-size.zip", bytes(lies)
    for name, value in (("aes", 99), ("deflate64", 9), ("ppmd", 98), ("zstd", 93)):
        changed = bytearray(zipped(("a.pdf", text)))
        end = changed.index(b"PK\x01\x02")
        changed[8:10] = changed[end + 10 : end + 12] = struct.pack("<H", value)
        changed[6] |= 1 if name == "aes" else 0
        changed[end + 8] |= 1 if name == "aes" else 0
        yield f"{name}.zip", bytes(changed)
    lzma = bytearray(zipped(("a.pdf", text), packed=zipfile.ZIP_LZMA))
    place = lzma.index(b"a.pdf") + 5
    lzma[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    yield "lzma-dictionary.zip", bytes(lzma)
    yield "bzip2.zip", zipped(("a.pdf", bytes(90_000_000)), packed=zipfile.ZIP_BZIP2)
    yield "comment.zip", zipped(("a.pdf", text))[:-2] + b"\xff\xff" + bytes(65_535)


def _overlapping(packed: bytes, size: int, count: int) -> bytes:
    """Many entries of the directory for one and the same packed content."""
    name = b"a.pdf"
    local = (
        struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0) + name + packed
    )
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0, 0, 0, 0, 0, 0
    )
    directory = (entry + name) * count
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(local), 0)
    return local + directory + end


NAMES = (
    "../../../../tmp/tallyman-was-here.pdf",
    "/tmp/tallyman-was-here.pdf",
    "..\\..\\tallyman-was-here.pdf",
    "C:\\Windows\\System32\\a.pdf",
    "a\x00b.pdf",
    "invoice\u202efdp.exe",
    "x" * 4096 + ".pdf",
    "\u0000\u0001\u001b[2J.pdf",
    "CON",
    ".",
    "..",
    "'; DROP TABLE cases; --.pdf",
    "<script>alert(1)</script>.pdf",
    "$(touch /tmp/tallyman-was-here).pdf",
    "-rf",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 300,
    "=cmd|'/c calc'!A1.pdf",
)


def _names(dice: random.Random) -> Made:
    for number, name in enumerate(NAMES):
        yield f"{number}.zip", zipped((name or "x", _text()))
    for number, name in enumerate(NAMES):
        quoted = name.encode("utf-8", "replace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        head = b'From: a@b\r\nContent-Type: a/b; name="%s"\r\n' % quoted
        head += b'Content-Disposition: attachment; filename="%s"\r\n\r\n' % quoted
        yield f"{number}.eml", head + b"%PDF-1.4 nothing"
    link = zipfile.ZipInfo("a.pdf")
    link.external_attr = 0o120777 << 16
    yield "link.zip", zipped((link, b"/etc/passwd"))


# -- e-mails


def _mails(dice: random.Random) -> Made:
    yield "10000-parts.eml", mail(*((f"{n}.pdf", b"%PDF-") for n in range(10_000))).as_bytes()
    head = b"From: a@b\r\nMIME-Version: 1.0\r\n"
    for depth in (50, 500, 20_000):
        nested = b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)
        )
        yield f"nested-{depth}.eml", head + nested + b"\r\nhello"
        forwarded = b"Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\n" * depth
        yield f"forwarded-{depth}.eml", head + forwarded + b"\r\nhello"
    yield "one-boundary.eml", head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n" * 200_000
    yield "no-boundary.eml", head + b"Content-Type: multipart/mixed\r\n\r\n--\r\n\r\n%PDF-"
    yield "long-header.eml", b"From: a@b\r\nSubject: " + b"=?utf-8?b?QUFB?= " * 300_000 + b"\r\n\r\nhello"
    yield "many-headers.eml", b"From: a@b\r\n" + b"X-A: b\r\n" * 500_000 + b"\r\nhello"
    continued = b"".join(b'; name*%d="aaaaaaaaaaaaaaaaaaaa"' % n for n in range(20_000))
    yield "continued-name.eml", head + b"Content-Type: application/pdf" + continued + b"\r\n\r\n%PDF-"
    yield (
        "comments.eml",
        b"From: " + b"(" * 50_000 + b"\r\n" + b'Content-Disposition: attachment; filename="(((("\r\n\r\nx',
    )
    for name in (b"base64", b"quoted-printable", b"x-uuencode", b"8bit", b"nonsense"):
        kind = b"Content-Type: application/pdf; charset=nonsense\r\nContent-Transfer-Encoding: " + name
        yield f"{name.decode()}.eml", head + kind + b"\r\n\r\n=ZZ====\xff\xfe%%%" + dice.randbytes(3_000)
    yield "winmail.eml", mail(("winmail.dat", b"\x78\x9f\x3e\x22" + dice.randbytes(500))).as_bytes()
    yield (
        "mail-in-zip-in-mail.eml",
        mail(("a.zip", zipped(("b.eml", mail(("c.zip", zipped(("d", b"x")))).as_bytes())))).as_bytes(),
    )
    script = mail()
    script.set_content("<script>alert(1)</script>=HYPERLINK()", subtype="html")
    yield "script.eml", script.as_bytes()


# -- what it is not


def _disguises(dice: random.Random) -> Made:
    yield "empty.pdf", b""
    yield "spaces.pdf", b" " * 5000
    yield "zeros.pdf", bytes(5000)
    for number in range(10):
        yield f"random-{number}.pdf", dice.randbytes(dice.randrange(1, 50_000))
    starts = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "html": b"<!DOCTYPE html><html><script>alert(1)</script>",
        "office": zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")),
        "old-office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "exe": b"MZ\x90\0" + bytes(600),
        "elf": b"\x7fELF" + bytes(600),
        "rtf": b"{\\rtf1{\\object\\objdata 0105}}",
        "gif": b"GIF89a" + bytes(60),
        "script": b"#!/bin/sh\ntouch /tmp/tallyman-was-here\n",
        "postscript": b"%!PS\n(/etc/passwd)(r)file 100 string readstring\n",
        "gzip": b"\x1f\x8b\x08" + bytes(60),
        "pickle": b"cos\nsystem\n(S'touch /tmp/tallyman-was-here'\ntR.",
    }
    for name, content in starts.items():
        yield f"{name}.pdf", content
    yield "header-only.pdf", b"%PDF-1.7"
    yield (
        "javascript.pdf",
        pdf(
            b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);while\\(1\\);)>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        ),
    )


def _tiffs(dice: random.Random) -> Made:
    grey = [(256, 4, 8), (257, 4, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 4, 8), (279, 4, 64)]
    yield "next-is-itself.tif", _tiff(grey, 8)
    yield "next-is-far.tif", _tiff(grey, 2**32 - 1)
    turning = bytearray(_tiff(grey, 200).ljust(200, b"\0") + _tiff(grey, 8)[8:])
    yield "two-in-a-ring.tif", bytes(turning)
    yield "no-size.tif", _tiff([(256, 4, 0), (257, 4, 0), *grey[2:]])
    yield "bits.tif", _tiff([*grey[:2], (258, 3, 65_535), *grey[3:]])
    for method in (2, 3, 4, 5, 6, 7, 8, 32773, 34925, 50000):
        yield f"method-{method}.tif", _tiff([*grey[:3], (259, 3, method), *grey[4:]]) + dice.randbytes(400)


# -- many pages


def _many_pages(dice: random.Random) -> Made:
    """As many pages as are read. Of each the drawing takes a second, a quarter of what a child may compute for it: one
    that takes more stops the whole file at once. And pages that look like text, of which an engine doubts every word.
    """
    lines = b"".join(
        b"%d %d m %d %d l S " % tuple(dice.randrange(side) for side in (595, 842, 595, 842)) for _ in range(5_000)
    )
    drawn = stream(zlib.compress(b"0.1 w " + lines), b"/Filter/FlateDecode")
    yield "200-heavy-pages.pdf", _pages([b"/Contents 3 0 R"] * 200, drawn)
    pictures = [_noise(dice) for _ in range(4)]
    shown = [b"/Contents 3 0 R/Resources<</XObject<</I %d 0 R>>>>" % (4 + n % len(pictures)) for n in range(40)]
    yield "40-pages-of-noise.pdf", _pages(shown, stream(b"595 0 0 842 0 0 cm /I Do"), *pictures)


def _pages(entries: Sequence[bytes], *more: bytes) -> bytes:
    """A PDF with a page for each of these entries; `more` are objects from number 3 on."""
    first = 3 + len(more)
    kids = b" ".join(b"%d 0 R" % number for number in range(first, first + len(entries)))
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(entries))
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s>>" % one for one in entries]
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, *more, *pages)


def _noise(dice: random.Random) -> bytes:
    """A scan of 300 dpi, full of letters that make no words, with specks all over."""
    picture = Image.new("1", (2480, 3508), 1)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(22)
    for y in range(60, 3440, 30):
        draw.text((60, y), "".join(dice.choices("abdefghkmnqrstuxABDEGHKMRSZ0235689   ", k=150)), fill=0, font=font)
    for _ in range(20_000):
        draw.point((dice.randrange(2480), dice.randrange(3508)), fill=0)
    form = b"/Type/XObject/Subtype/Image/Width 2480/Height 3508/ColorSpace/DeviceGray/BitsPerComponent 1"
    return stream(zlib.compress(picture.tobytes()), form + b"/Filter/FlateDecode")


def honest_page() -> bytes:
    """A clean page with a text layer, to time honest work beside all this."""
    return _text()


def honest_scan() -> bytes:
    """The same page as a clean scan of 300 dpi."""
    picture = pypdfium2.PdfDocument(_text())[0].render(scale=300 / 72, grayscale=True).to_pil()
    out = io.BytesIO()
    picture.save(out, "PDF", resolution=300)
    return out.getvalue()


def save(folder: Path, made: Hostile, number: int) -> Path:
    """Write it as a source would have named it: by its number, under the ending that it claims."""
    file = folder / f"{number:04}{Path(made.name).suffix}"
    file.write_bytes(made.content)
    return file
