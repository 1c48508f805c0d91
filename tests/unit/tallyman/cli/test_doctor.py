"""What `tallyman doctor` says of the engines that read."""

from types import SimpleNamespace

import pytest

from tallyman.cli import doctor
from tallyman.errors import ConfigurationError


def engine(
    cost: float | None, *, version: str = "1", lacking: tuple[str, ...] = (), lacks: str | None = None
) -> SimpleNamespace:
    return SimpleNamespace(cost=cost, version=version, lacking=lacking, available=lambda: lacks)


def told(monkeypatch: pytest.MonkeyPatch, **engines: SimpleNamespace) -> str:
    monkeypatch.setattr(doctor, "Registry", lambda: SimpleNamespace(ocr_engines=engines))
    return doctor._engines()


def test_engines_are_named_with_the_languages_that_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = engine(2.4, version="3.10.0"), engine(1.0, version="5.3.0", lacking=("fra", "pol"))
    said = told(monkeypatch, null=engine(None), rapid=slow, tesseract=quick)
    assert said == "tesseract 5.3.0 without fra, pol (scripts/setup installs them); rapid 3.10.0"


def test_an_engine_that_can_not_work_is_told_beside_those_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(monkeypatch, rapid=engine(2.4), tesseract=engine(1.0, lacks="Not installed: apt-get install it"))
    assert said == "rapid 1; Not installed: apt-get install it"


def test_a_machine_on_which_nothing_reads_lacks_something(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as raised:
        told(monkeypatch, null=engine(None), tesseract=engine(1.0, lacks="Not installed: apt-get install it"))
    assert "apt-get install it" in raised.value.advice
