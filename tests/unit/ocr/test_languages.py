"""In which language a page is written."""

import pytest

from ocr.languages import LANGUAGES, guess

TEXTS = {
    "eng": "Please transfer the total amount to our account within 30 days of the date of this invoice",
    "deu": "Bitte überweisen Sie den Betrag bis zum 30. auf das Konto und geben die Nummer der Rechnung an",
    "fra": "Veuillez régler le montant de la facture dans un délai de 30 jours par virement sur notre compte",
    "spa": "El importe de la factura se paga en un plazo de 30 días por transferencia a nuestro número de cuenta",
    "ita": "Il pagamento della fattura è da fare con bonifico entro 30 giorni dalla data di questo documento",
    "nld": "Wij verzoeken u het bedrag van deze factuur binnen 30 dagen te betalen op onze rekening bij de bank",
    "pol": "Prosimy o zapłatę kwoty przelewem na nasz rachunek w terminie do 30 dni od daty wystawienia faktury",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert guess(TEXTS[language].split()) == language


def test_numbers_and_names_tell_none() -> None:
    assert guess(["RE-2024-001", "Meyer", "GmbH", "1.234,50", "EUR"]) is None


def test_a_page_in_two_languages_is_in_none() -> None:
    assert guess((TEXTS["eng"] + " " + TEXTS["deu"]).split()) is None
