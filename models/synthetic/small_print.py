"""Made-up terms of business: pages of prose on which no field of the document stands."""

import random

SENTENCES: dict[str, tuple[str, ...]] = {
    "eng": (
        "These terms apply to every sale unless the parties agree otherwise in writing.",
        "Offers are without engagement until we have confirmed the order.",
        "The goods remain our property until the price has been paid in full, including all incidental claims.",
        "Obvious defects must be notified within 8 days of receipt, hidden ones as soon as they are found.",
        "Delivery dates are estimates; a delay of up to 14 days gives no right to withdraw.",
        "Late payment bears interest at 8 percentage points above the base rate of the central bank.",
        "Risk passes to the customer when the goods are handed to the carrier.",
        "Set-off is allowed only with claims that are undisputed or have been finally decided.",
        "Returns need our prior consent; a handling charge of 15 % of the value of the goods may be deducted.",
        "Our liability is limited to the foreseeable damage and, per event, to 50,000.",
        "Packaging is charged at cost and is not taken back unless the law says so.",
        "The courts at our registered office have jurisdiction; the law of that place applies.",
        "Should a clause be void, the others remain in force and a fitting one takes its place.",
    ),
    "deu": (
        "Diese Bedingungen gelten für alle Lieferungen, soweit nichts anderes schriftlich vereinbart ist.",
        "Unsere Angebote sind freibleibend, bis der Auftrag von uns bestätigt wurde.",
        "Die Ware bleibt bis zur vollständigen Bezahlung aller Forderungen unser Eigentum.",
        "Offene Mängel sind binnen 8 Tagen nach Empfang zu rügen, verdeckte unverzüglich nach Entdeckung.",
        "Liefertermine sind unverbindlich; eine Verspätung bis zu 14 Tagen berechtigt nicht zum Rücktritt.",
        "Bei Zahlungsverzug berechnen wir Zinsen in Höhe von 9 Prozentpunkten über dem Basiszinssatz.",
        "Die Gefahr geht mit Übergabe an den Frachtführer auf den Käufer über.",
        "Eine Aufrechnung ist nur mit unbestrittenen oder rechtskräftig festgestellten Forderungen zulässig.",
        "Rücksendungen bedürfen unserer Zustimmung; wir behalten uns einen Abzug von 15 % des Warenwertes vor.",
        "Unsere Haftung ist auf den vorhersehbaren Schaden und je Schadensfall auf 50.000 begrenzt.",
        "Verpackung wird zu Selbstkosten berechnet und nur nach gesetzlicher Vorschrift zurückgenommen.",
        "Erfüllungsort und Gerichtsstand ist der Sitz unserer Gesellschaft.",
        "Ist eine Bestimmung unwirksam, so bleiben die übrigen davon unberührt.",
    ),
    "fra": (
        "Les présentes conditions s'appliquent à toute vente, sauf accord écrit contraire entre les parties.",
        "Nos offres sont sans engagement jusqu'à la confirmation de la commande.",
        "Les marchandises restent notre propriété jusqu'au paiement intégral du prix et de ses accessoires.",
        "Les vices apparents doivent être signalés dans les 8 jours suivant la réception.",
        "Les délais de livraison sont donnés à titre indicatif; un retard de 14 jours n'ouvre pas droit à résiliation.",
        "Tout retard de paiement entraîne des pénalités égales à trois fois le taux d'intérêt légal.",
        "Une indemnité forfaitaire de 40 euros est due pour frais de recouvrement.",
        "Les risques sont transférés à l'acheteur dès la remise au transporteur.",
        "Tout retour nécessite notre accord; une retenue de 15 % de la valeur pourra être appliquée.",
        "Notre responsabilité est limitée au dommage prévisible et, par sinistre, à 50 000.",
        "Les emballages sont facturés au prix coûtant et ne sont pas repris.",
        "Le tribunal de commerce de notre siège social est seul compétent.",
        "La nullité d'une clause n'affecte pas la validité des autres.",
    ),
}


def small_print(language: str, seed: int) -> tuple[str, ...]:
    """Some thirty paragraphs of terms, the same for the same seed."""
    rng = random.Random(f"terms/{seed}")
    sentences = SENTENCES[language]
    return tuple(" ".join(rng.sample(sentences, rng.randint(3, 6))) for _ in range(rng.randint(24, 34)))
