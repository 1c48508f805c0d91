"""scripts/setup on machines that lack something. No package is installed: apt-get and the browser are stand-ins."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ocr.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but an apt-get that writes down how it was called, and the tools that it needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder / "apt-get", f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    program(folder / "apt-cache", '#!/bin/sh\necho "Candidate: 1.0"\n')
    program(folder / "sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    (folder / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.delenv("TALLYMAN_CHROMIUM", raising=False)
    return folder


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def calls(bare: Path) -> list[str]:
    log = bare.parent / "calls"
    return log.read_text().splitlines() if log.exists() else []


def test_all_that_is_missing_is_installed_in_one_call(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "distribution", lambda: "debian")
    assert not setup.prepare_system()
    update, install = calls(bare)
    assert update.startswith("update")
    assert {"tesseract-ocr", "tesseract-ocr-eng", "tesseract-ocr-deu", "chromium"} <= set(install.split())
    assert {f"tesseract-ocr-{language}" for language in LANGUAGES} <= set(install.split()), "all that is read"
    assert "sudo apt-get install chromium" in capsys.readouterr().out


def test_on_ubuntu_chromium_is_left_to_playwright(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "distribution", lambda: "ubuntu")
    setup.prepare_system()
    assert "chromium" not in calls(bare)[-1].split()


def test_nothing_is_installed_where_nothing_is_missing(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "needs", lambda _purpose: [setup.Need("all", ("all",), lambda: True)])
    assert setup.prepare_system()
    assert calls(bare) == []


def test_a_missing_font_does_not_stop_the_set_up(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        setup, "needs", lambda _purpose: [setup.Need("fonts", ("fonts-x",), lambda: False, required=False)]
    )
    assert setup.prepare_system()
    assert "going on without it" in capsys.readouterr().out


def test_a_language_that_tesseract_lacks_does_not_stop_the_set_up(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "distribution", lambda: "ubuntu")
    monkeypatch.setattr(setup, "has_font", lambda *_names: True)
    program(bare / "tesseract", '#!/bin/sh\nprintf "List (2):\\neng\\ndeu\\n"\n')
    assert setup.prepare_system()
    assert "tesseract-ocr-pol" in calls(bare)[-1].split()
    assert "tesseract-ocr-eng" not in calls(bare)[-1].split()
    program(bare / "tesseract", '#!/bin/sh\nprintf "eng\\ndeu\\nfra\\nspa\\nita\\nnld\\npol\\n"\n')
    capsys.readouterr()
    assert setup.prepare_system()
    assert capsys.readouterr().out == ""


def test_without_root_or_sudo_the_mending_command_is_told(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (bare / "sudo").unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not setup.prepare_system()
    assert calls(bare) == []
    assert "Install it: sudo apt-get install tesseract-ocr tesseract-ocr-eng" in capsys.readouterr().out


def test_chromium_is_the_named_one_then_playwrights_then_the_systems(
    setup: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert setup.chromium() is None
    system = program(bare / "chromium", "\x7fELF")
    assert setup.chromium() == str(system)
    own = program(tmp_path / "browsers" / "chromium-1200" / "chrome-linux64" / "chrome", "\x7fELF")
    assert setup.chromium() == str(own)
    named = program(tmp_path / "my chrome", "\x7fELF")
    monkeypatch.setenv("TALLYMAN_CHROMIUM", str(named))
    assert setup.chromium() == str(named)


def test_debians_chromium_comes_with_its_shell_without_windows(
    setup: ModuleType, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "distribution", lambda: "debian")
    program(bare / "chromium", "\x7fELF")
    assert not setup.has_debians_chromium()
    program(bare / "chromium-headless-shell", "\x7fELF")
    assert setup.has_debians_chromium()
    (bare / "chromium-headless-shell").unlink()
    program(bare / "apt-cache", '#!/bin/sh\necho "Candidate: (none)"\n')
    assert setup.has_debians_chromium()
    program(tmp_path / "browsers" / "chromium-1200" / "chrome-linux64" / "chrome", "\x7fELF")
    program(bare / "apt-cache", '#!/bin/sh\necho "Candidate: 1.0"\n')
    assert setup.has_debians_chromium()


def test_ubuntus_stub_is_no_chromium(setup: ModuleType, bare: Path) -> None:
    program(bare / "chromium-browser", '#!/bin/sh\necho "Install it: snap install chromium" >&2\nexit 1\n')
    assert setup.chromium() is None


def test_an_environment_that_is_up_to_date_is_left_alone(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    venv = tmp_path / ".venv"
    for name, value in {"VENV": venv, "VENV_PYTHON": venv / "bin" / "python", "STAMP": venv / "setup-stamp"}.items():
        monkeypatch.setattr(setup, name, value)

    def record(command: list[str], told: str) -> bool:
        commands.append(command)
        program(venv / "bin" / "python", "#!/bin/sh\n")
        program(venv / "bin" / "pip", f"#!{venv}/bin/python\n")
        return True

    monkeypatch.setattr(setup, "run", record)
    assert setup.prepare_venv("test")
    assert [command[2] for command in commands] == ["venv", "pip"]
    assert setup.prepare_venv("run"), "what the tests need holds what a run needs"
    assert len(commands) == 2
    assert setup.prepare_venv("model")
    assert commands[-1][-1] == ".[dev,model]"


def test_an_environment_that_was_copied_from_elsewhere_is_made_anew(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "büro home" / ".venv"
    monkeypatch.setattr(setup, "VENV", venv)
    python = venv / "bin" / "python"
    assert not setup.works(python)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    pip = program(venv / "bin" / "pip", f"#!/bin/sh\n'''exec' \"{venv}/bin/python\" \"$0\" \"$@\"\n' '''\n")
    assert setup.works(python)
    pip.write_text("#!/elsewhere/.venv/bin/python\n")
    assert not setup.works(python)
