"""In which language a page is written, by the small words that every text of a language has."""

import re
from collections.abc import Iterable

LANGUAGES = ("eng", "deu", "fra", "spa", "ita", "nld", "pol")
"""ISO 639-2/T codes, as tesseract names them."""

_SMALL = {
    "eng": "the of and to for in is on with this by from your our be are we you please within "
    "invoice date total amount",
    "deu": "der die das und ist nicht mit für von den dem zu auf ein eine wir sie ihr ihre bei bis zum zur "
    "rechnung datum betrag",
    "fra": "le la les des et du un une pour par est vous nous votre dans sur au aux avec facture total date montant de",
    "spa": "el la los las y de del un una para por es su con en se no nuestro factura fecha importe total al",
    "ita": "il lo la gli le di del della e un una per da con non in si vostro fattura data importo totale al",
    "nld": "de het een van en voor op met is niet uw wij te in bij aan door naar ons onze factuur datum bedrag totaal",
    "pol": "i w na z do się jest nie od za oraz dla przez faktura data kwota razem wartość nr numer sprzedawca nabywca",
}
_KNOWN: dict[str, tuple[str, ...]] = {}
for _language, _words in _SMALL.items():
    for _word in _words.split():
        _KNOWN[_word] = (*_KNOWN.get(_word, ()), _language)
_MARKS = {
    "ß": "deu",
    "ł": "pol",
    "ś": "pol",
    "ż": "pol",
    "ź": "pol",
    "ę": "pol",
    "ą": "pol",
    "ñ": "spa",
    "œ": "fra",
    "ê": "fra",
    "ì": "ita",
}
_ENOUGH = 3.0
_CLEAR = 1.25


def guess(words: Iterable[str], known: tuple[str, ...] = LANGUAGES) -> str | None:
    """The language of `words`, one of `known`; None where too few words tell it, or two languages share the page."""
    points = dict.fromkeys((*LANGUAGES, *known), 0.0)
    for word in words:
        folded = re.sub(r"[\W\d_]+", "", word.casefold())
        of = _KNOWN.get(folded, ())
        for language in of:
            points[language] += 1 / len(of)
        for letter in set(folded) & _MARKS.keys():
            points[_MARKS[letter]] += 0.5
    ranked = [(points[language], language) for language in known if points[language]]
    ranked.sort(reverse=True)
    if not ranked or ranked[0][0] < _ENOUGH or (len(ranked) > 1 and ranked[0][0] < _CLEAR * ranked[1][0]):
        return None
    return ranked[0][1]
