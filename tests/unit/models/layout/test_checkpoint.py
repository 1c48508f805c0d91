"""Models of a user's own are served as ours is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from models.layout.checkpoint import load  # noqa: E402
from models.layout.fields import CLASSES  # noqa: E402
from tallyman.errors import ConfigurationError  # noqa: E402
from tests.unit.models.layout.pages import page  # noqa: E402

WORDS = ["[UNK]", "Rechnung", "RE", "-", "17", "119", ",", "00", "Summe"]
SMALL = {
    "vocab_size": 32, "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 514, "max_2d_position_embeddings": 1024, "bos_token_id": 0, "eos_token_id": 2,
    "pad_token_id": 1,
}  # fmt: skip
LABELS = {0: "O", 1: "B-INVOICE_NUMBER", 2: "I-INVOICE_NUMBER", 3: "B-SUM"}


def checkpoint(folder: Path, kind: str, names_of: dict[int, str] = LABELS, **told: Any) -> Path:
    """A tiny one with random weights, as `save_pretrained` writes it."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    names = {"id2label": names_of, "label2id": {label: number for number, label in names_of.items()}}
    if kind == "lilt":
        config = transformers.LiltConfig(**SMALL, channel_shrink_ratio=2, **names)
        model = transformers.LiltForTokenClassification(config)
    else:
        config = transformers.LayoutLMv3Config(
            **SMALL, coordinate_size=4, shape_size=4, visual_embed=False, has_relative_attention_bias=False,
            has_spatial_attention_bias=False, **names,
        )  # fmt: skip
        model = transformers.LayoutLMv3ForTokenClassification(config)
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").save_pretrained(folder)
    if told:
        (folder / "tallyman.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize("kind", ["layoutlmv3", "lilt"])
def test_each_word_gets_the_odds_of_our_fields(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(1)
    reader = load(checkpoint(tmp_path, kind, type="invoice", labels={"SUM": "gross_total"}))
    words = page([[(0.1, "Rechnung RE-17")], [(0.1, "Summe"), (0.6, "119,00")]])
    (said,) = reader.said([words])
    assert said.words.shape == (4, len(CLASSES))
    np.testing.assert_allclose(said.words.sum(axis=1), 1, atol=1e-4)
    known = {0, CLASSES.index("invoice_number"), CLASSES.index("gross_total")}
    assert set(np.flatnonzero(said.words.sum(axis=0)).tolist()) == known


def test_of_a_page_of_thousands_of_words_none_is_left_out(tmp_path: Path) -> None:
    reader = load(checkpoint(tmp_path, "lilt", labels={"SUM": "gross_total"}))
    words = page([[(0.1, "Summe 119,00 RE-17 Rechnung Summe 17 Summe")]] * 150)
    (said,) = reader.said([words])
    assert np.all(said.words[:, 0] < 1)


def test_labels_that_nobody_knows_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="None of the labels") as refused:
        load(checkpoint(tmp_path, "lilt", {0: "O", 1: "B-FOO"}))
    assert "tallyman.json" in refused.value.advice


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No model can be loaded"):
        load(tmp_path)
