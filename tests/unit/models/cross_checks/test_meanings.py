"""What codes mean: payment codes, GS1 data and parcel numbers, and what breaks their rules."""

from decimal import Decimal

import pytest

from models.cross_checks._codes.goods import gs1_of, parcel_number_of
from models.cross_checks._codes.payment import payment_of

EPC = ("BCD", "002", "1", "SCT", "BFSWDE33BER", "Bolt Ltd", "DE89 3704 0044 0532 0130 00", "EUR1190.5", "", "", "RE-1")
SWISS = (
    "SPC", "0200", "1", "CH5800791123000889012", "S", "Robert Schneider AG", "Rue du Lac", "1268", "2501", "Biel", "CH",
    "", "", "", "", "", "", "", "199.95", "CHF", "S", "Pia-Maria Rutschmann", "Grosse Marktgasse", "28", "9400",
    "Rorschach", "CH", "SCOR", "RF18539007547034", "Auftrag vom 15.06.2020", "EPD",
)  # fmt: skip


def epc(at: int, value: str) -> str:
    return "\n".join((*EPC[:at], value, *EPC[at + 1 :]))


def swiss(**changes: str) -> str:
    rows = list(SWISS)
    for at, value in changes.items():
        rows[int(at[1:])] = value
    return "\n".join(rows)


def test_an_epc_code_asks_for_a_payment() -> None:
    payment = payment_of("\n".join(EPC))
    assert payment is not None
    assert (payment.payee, payment.iban, payment.amount) == ("Bolt Ltd", "DE89370400440532013000", Decimal("1190.5"))
    assert (payment.currency, payment.reference) == ("EUR", "RE-1")


def test_an_epc_code_may_end_after_its_amount_and_may_lack_one() -> None:
    assert payment_of("\n".join(EPC[:8])) is not None
    open_amount = payment_of(epc(7, ""))
    assert open_amount is not None
    assert open_amount.amount is None


@pytest.mark.parametrize(
    "text",
    [
        epc(6, "DE89370400440532013001"),
        epc(7, "USD5.00"),
        epc(7, "EUR5,00"),
        epc(7, "EUR-5"),
        epc(3, "SEPA"),
        epc(1, "9"),
        epc(5, ""),
        epc(9, "RF18539007547035"),
        "BCD",
        "",
    ],
)
def test_an_epc_code_that_breaks_its_rules_is_none(text: str) -> None:
    assert payment_of(text) is None


def test_a_swiss_code_asks_for_a_payment() -> None:
    payment = payment_of(swiss())
    assert payment is not None
    assert (payment.iban, payment.amount, payment.currency) == ("CH5800791123000889012", Decimal("199.95"), "CHF")
    assert payment.reference == "RF18539007547034"


def test_a_qr_iban_goes_with_a_qr_reference_alone() -> None:
    by_qr = {"_3": "CH4431999123000889012", "_27": "QRR", "_28": "210000000003139471430009017"}
    assert payment_of(swiss(**by_qr)) is not None
    assert payment_of(swiss(**{**by_qr, "_28": "210000000003139471430009018"})) is None
    assert payment_of(swiss(**{**by_qr, "_27": "NON", "_28": ""})) is None
    assert payment_of(swiss(_27="NON", _28="")) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"_3": "CH5800791123000889013"},
        {"_3": "DE89370400440532013000"},
        {"_19": "USD"},
        {"_18": "1'199.95"},
        {"_28": "RF18539007547035"},
        {"_30": ""},
        {"_1": "0100"},
    ],
)
def test_a_swiss_code_that_breaks_its_rules_is_none(changes: dict[str, str]) -> None:
    assert payment_of(swiss(**changes)) is None


def test_gs1_data_are_told_apart_by_their_identifiers() -> None:
    text = "(01)04012345678901(15)270300(10)LOT-7(37)12(400)PO-77"
    wanted = {"01": "04012345678901", "15": "270300", "10": "LOT-7", "37": "12", "400": "PO-77"}
    assert gs1_of("gs1_code_128", text) == wanted
    assert gs1_of("gs1_code_128", "(00)340123450000000017") == {"00": "340123450000000017"}


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("code_128", "(00)340123450000000017"),
        ("gs1_code_128", "(00)340123450000000018"),
        ("gs1_code_128", "(01)123"),
        ("gs1_code_128", "(10)A(10)B"),
        ("gs1_code_128", "X(10)A"),
        ("gs1_code_128", ""),
        ("gs1_code_128", "(10)A(410)"),
        ("gs1_code_128", "(410)ABCDEFGHIJKLM"),
        ("gs1_code_128", "(01)\u0664\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661\u0662"),
    ],
)
def test_gs1_data_that_break_its_rules_say_nothing(format: str, text: str) -> None:
    assert gs1_of(format, text) == {}


def test_a_parcel_number_has_a_check_digit() -> None:
    assert parcel_number_of("rr473124829gb") == "RR473124829GB"
    assert parcel_number_of("RR473124828GB") is None
    assert parcel_number_of("473124829") is None
