from benchmarks.verdict import broken

LIMITS = {"recall": (">=", 0.9), "signed": ("<=", 0)}


def test_a_figure_on_its_limit_holds_and_one_beyond_it_does_not() -> None:
    assert broken({"recall": 0.9, "signed": 0}, LIMITS) == []
    assert broken({"recall": 0.89, "signed": 1}, LIMITS) == ["recall", "signed"]


def test_what_was_not_measured_breaks_no_limit() -> None:
    assert broken({"recall": None, "signed": None}, LIMITS) == []


def test_what_is_no_number_breaks_its_limit() -> None:
    assert broken({"recall": float("nan"), "signed": 0}, LIMITS) == ["recall"]
