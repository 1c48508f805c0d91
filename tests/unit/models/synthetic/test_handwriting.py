"""Strokes of a made-up hand."""

import pytest

from models.synthetic.glyphs import STROKES
from models.synthetic.handwriting import Hand, blot, crease, parse, smooth, smudge, stamp, strokes_of


@pytest.mark.parametrize("character", sorted(STROKES))
def test_every_glyph_is_well_formed(character: str) -> None:
    for stroke in parse(STROKES[character]):
        assert len(stroke) >= 2
        assert all(-1.5 <= x <= 7 and -1.5 <= y <= 11.5 for (x, y), _ in stroke)


def test_a_path_passes_through_its_points_and_breaks_at_corners() -> None:
    path = smooth(parse("0,0 4,0! 4,8")[0])
    assert path.startswith("M0.00 0.00C")
    assert path.count("C") == 2
    assert path.endswith("4.00 8.00")


def test_accents_add_strokes_to_their_letter() -> None:
    assert len(strokes_of("ä")) == len(strokes_of("a")) + 2
    assert len(strokes_of("É")) == len(strokes_of("E")) + 1
    assert strokes_of("\u4e2d") == []


def test_a_hand_writes_the_same_twice_and_another_hand_writes_otherwise() -> None:
    assert Hand(4).write("24", 14) == Hand(4).write("24", 14)
    assert Hand(4).write("24", 14).strokes != Hand(5).write("24", 14).strokes


def test_writing_keeps_within_its_width() -> None:
    assert Hand(1).write("2 Kartons durchnässt, Annahme verweigert", 12, 180).width <= 180.01
    assert Hand(1).signature("Petra Schöll", 120).width <= 120.01


def test_an_ink_carries_its_truth_escaped() -> None:
    svg = Hand(1).write("<3", 12).svg("damage_note", '<3 "x"', 0)
    assert 'data-field="damage_note"' in svg
    assert "&lt;3" in svg
    assert "<3" not in svg


def test_a_stamp_escapes_its_text_and_a_smudge_is_unclear() -> None:
    assert "A &amp; B" in stamp("A & B\nWareneingang", 1)
    assert 'data-text="unclear"' in smudge(1, 100, 30)


def test_dirt_has_its_truth_and_every_seed_its_own_dirt() -> None:
    assert 'data-text="unclear"' in blot(1, 100, 30)
    assert 'data-text="absent"' in crease(1, 100, 30)
    for dirt in (blot, crease):
        assert dirt(1, 100, 30) == dirt(1, 100, 30) != dirt(2, 100, 30)


def test_initials_with_a_flourish_keep_within_their_width() -> None:
    assert Hand(1).paraph("Petra Schöll", 90).width <= 90.01
