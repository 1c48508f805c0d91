"""What is learned from, how a training goes on, and that what is exported says what was trained."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.layout import onnx_network, torch_network
from models.layout.calibration import EVIDENCE, Calibrator, coverage, fitted
from models.layout.export import export
from models.layout.features import features_of
from models.layout.fields import CLASSES
from models.layout.network import LayoutConfig, LayoutModel
from models.layout.training import course
from models.layout.training.figures import is_same
from models.layout.training.labelled import LabelledPage, load, save
from models.layout.training.loop import Plan, learn
from models.layout.training.noise import noisy
from models.layout.training.printed import files_of
from tallyman.errors import ConfigurationError
from tests.unit.models.layout.pages import page

SMALL: dict[str, Any] = {
    "word_size": 16,
    "neighbour_size": 8,
    "hidden_size": 32,
    "layers": 1,
    "heads": 2,
    "inner_size": 32,
}


def labelled(number: str = "RE-17", group: str = "invoice/din") -> LabelledPage:
    words = page([[(0.1, f"Rechnung {number}")], [(0.1, "Kugellager"), (0.6, "2"), (0.8, "19,00")]])
    classes = np.zeros(len(words), np.int64)
    classes[1] = CLASSES.index("invoice_number")
    classes[2:] = [CLASSES.index(f"line.{name}") for name in ("description", "quantity", "total")]
    item = np.array([-1, -1, 0, 0, 0])
    return LabelledPage(words=words, classes=classes, item=item, kind=0, role=0, group=group)


def same(one: LabelledPage, other: LabelledPage) -> bool:
    return (
        tuple(one.words.texts) == tuple(other.words.texts)
        and np.allclose(one.words.boxes, other.words.boxes, atol=2e-5)
        and np.array_equal(one.classes, other.classes)
        and np.array_equal(one.item, other.item)
        and (one.kind, one.role, one.group) == (other.kind, other.role, other.group)
    )


def test_pages_survive_the_disk(tmp_path: Path) -> None:
    pages = [labelled(), labelled("RE-18", "pod/tally")]
    save(pages, tmp_path / "pages.npz")
    assert all(map(same, load(tmp_path / "pages.npz"), pages))


def test_of_families_that_are_held_out_nothing_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, file),) = files_of(tmp_path, range(2))
    save([labelled(), labelled(group="invoice/facture")], file)
    save([labelled()], tmp_path / "of-another-training.npz")
    monkeypatch.setattr(course, "print_pages", lambda *_: iter(()))
    (learned,) = course.printed_pages(tmp_path, 2, 1, lambda *_: None)
    assert learned.group == "invoice/din"


def test_a_training_with_nothing_to_learn_from_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, file),) = files_of(tmp_path, range(1))
    save([labelled(group="invoice/facture")], file)
    monkeypatch.setattr(course, "print_pages", lambda *_: iter(()))
    with pytest.raises(ConfigurationError, match="No page is left"):
        course.printed_pages(tmp_path, 1, 1, lambda *_: None)


def test_noise_is_the_same_for_the_same_dice_and_keeps_what_words_are() -> None:
    one, two = (noisy(labelled(), np.random.default_rng(5)) for _ in range(2))
    assert same(one, two)
    assert any(not same(noisy(labelled(), np.random.default_rng(seed)), labelled()) for seed in range(5))
    for seed in range(40):
        made = noisy(labelled(), np.random.default_rng(seed))
        assert len(made.words) == len(made.classes) == len(made.item) == len(made.words.boxes)


def train(folder: Path, steps: int) -> tuple[LayoutModel, list[int]]:
    torch.manual_seed(1)
    pages = [labelled(f"RE-{number}") for number in range(40)]
    model = learn(LayoutModel(LayoutConfig(**SMALL)), pages, folder, Plan(steps=steps, workers=0), lambda _: None)
    told = [json.loads(line)["step"] for line in (folder / "curves.jsonl").read_text().splitlines()]
    return model, told


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", 6)
    learnt_half = Plan(steps=6, workers=0)

    class Stopped(Exception):
        pass

    def stop(step: int) -> None:
        if step == 3:
            raise Stopped

    torch.manual_seed(1)
    pages = [labelled(f"RE-{number}") for number in range(40)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("models.layout.training.loop._SAVED_EVERY_S", -1.0)
        with pytest.raises(Stopped):
            learn(LayoutModel(LayoutConfig(**SMALL)), pages, tmp_path / "half", learnt_half, stop)
        resumed, told = train(tmp_path / "half", 6)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert told == sorted(told)


def test_what_is_exported_says_what_was_trained(tmp_path: Path) -> None:
    model, _ = train(tmp_path, 2)
    export(model, tmp_path / "model.onnx", eight_bits=False)
    features = [features_of(labelled().words), features_of(page([[(0.1, "eins zwei drei")]] * 9))]
    torch_says, onnx_says = (
        torch_network.network_of(model)(features),
        onnx_network.loaded(tmp_path / "model.onnx")(features),
    )
    for one, other in zip(torch_says, onnx_says, strict=True):
        for name in ("words", "starts", "type", "role"):
            np.testing.assert_allclose(one[name], other[name], atol=2e-3)


def test_a_network_whose_numbers_stand_for_other_fields_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(LayoutModel(LayoutConfig(**SMALL)), tmp_path / "model.onnx")
    monkeypatch.setattr("models.layout.serving.CLASSES", ("", *reversed(CLASSES[1:])))
    with pytest.raises(ConfigurationError, match="another version"):
        onnx_network.loaded(tmp_path / "model.onnx")


def test_values_that_are_equally_sure_are_taken_together_or_not_at_all() -> None:
    right_first = [True] * 1000 + [False] * 100
    assert coverage([0.99] * 1100, right_first, 0.995) == 0.0
    assert coverage([0.99] * 1100, right_first[::-1], 0.995) == 0.0
    assert coverage([0.9] * 900 + [0.5] * 100, [True] * 900 + [False] * 100, 0.995) == 0.9
    assert coverage([], [], 0.995) == 0.0


def test_what_is_right_more_often_gets_the_higher_confidence() -> None:
    dice = np.random.default_rng(1)
    samples = []
    for _ in range(2000):
        odds = float(dice.normal(0, 2))
        evidence = [odds, *([0.0] * (len(EVIDENCE) - 1))]
        samples.append(("issue_date", evidence, bool(dice.random() < 1 / (1 + np.exp(-odds - 1)))))
    calibrator = Calibrator.from_json(fitted(samples).to_json())
    for odds in (-2.0, 0.0, 2.0):
        told = calibrator.confidence("issue_date", [odds, *([0.0] * (len(EVIDENCE) - 1))])
        assert told == pytest.approx(1 / (1 + np.exp(-odds - 1)), abs=0.05)
    assert fitted([]).confidence("iban", [0.0] * len(EVIDENCE)) == 0.5


@pytest.mark.parametrize(
    ("name", "one", "other", "right"),
    [
        ("gross_total", "1234.50", "1234.5", True),
        ("gross_total", "1234.50", "1234.51", False),
        ("line.unit_price", "0.0812", "0.0850", False),
        ("waybill_number", "340123450000000018", "340123450000000019", False),
        ("invoice_number", "00123", "123", False),
        ("seller_postcode", "01067", "1067", False),
        ("seller_name", "Nordhafen GmbH", "NORDHAFEN  GMBH", True),
    ],
)
def test_values_are_compared_as_what_they_are(name: str, one: str, other: str, right: bool) -> None:
    assert is_same(name, one, other) is right
