"""What scripts/setup does once it has found a Python. Standard library only: it runs before anything is installed.

Exit code 0 when the machine is ready, 3 when something is missing that could not be installed; then each missing part
is named with the command that mends it.
"""

import argparse
import glob
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setup-stamp"
NOT_READY = 3
EXTRAS = {"run": (), "model": ("model",), "test": ("dev", "model")}
HEARTBEAT_S = 20.0
LANGUAGES = ("deu", "fra", "spa", "ita", "nld", "pol")
"""Beside English. What Tesseract lacks the other engine reads."""


@dataclass(frozen=True)
class Need:
    """A part of the system that pip can't install. `required` is False where work goes on without it, less well."""

    title: str
    packages: tuple[str, ...]
    present: Callable[[], bool]
    required: bool = True


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def run(command: Sequence[str], told: str) -> bool:
    """Run a command and show that it is alive. True when it ended well; its own errors are printed by itself."""
    say(told)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while True:
        try:
            code = process.wait(timeout=HEARTBEAT_S)
        except subprocess.TimeoutExpired:
            say(f"  ... {time.monotonic() - started:.0f} s")
        else:
            say(f"  {'done' if code == 0 else f'failed with exit code {code}'} ({time.monotonic() - started:.0f} s)")
            return code == 0


# What the system must have


def has_languages(*languages: str) -> bool:
    """Whether Tesseract is there and reads these languages."""
    if not shutil.which("tesseract"):
        return False
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
    return set(languages) <= set((listed.stdout + listed.stderr).split())


def has_font(*names: str) -> bool:
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", os.path.expanduser("~/.local/share/fonts"))
    return all(any(glob.glob(f"{folder}/**/{name}", recursive=True) for folder in folders) for name in names)


def has_venv() -> bool:
    """Debian and Ubuntu ship the modules venv and ensurepip in a package of their own."""
    return VENV_PYTHON.exists() or all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def is_snap(path: str) -> bool:
    """Ubuntu's chromium lives in a snap: it can't see our folders, and its launcher is a script that says so."""
    real = os.path.realpath(path)
    if real.startswith("/snap/") or os.path.basename(real) == "snap":
        return True
    with open(real, "rb") as file:
        start = file.read(4096)
    return start.startswith(b"#!") and b"snap" in start


def chromium() -> str | None:
    """The browser to use: TALLYMAN_CHROMIUM, then Playwright's own build, then the system's."""
    named = os.environ.get("TALLYMAN_CHROMIUM")
    if named:
        return named if os.access(named, os.X_OK) else None
    builds = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or os.path.expanduser("~/.cache/ms-playwright")
    own = sorted(glob.glob(f"{builds}/chromium-*/chrome-linux*/chrome"))
    if own:
        return own[-1]
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        path = shutil.which(name)
        if path and not is_snap(path):
            return path
    return None


def has_debians_chromium() -> bool:
    """Also its shell without windows, where apt knows it: bots that nobody watches are faster with it."""
    path, shell = chromium(), "chromium-headless-shell"
    if path is None or Path(path).name != "chromium":
        return path is not None
    return bool(shutil.which(shell)) or not known(shell)


def has_postgresql() -> bool:
    return bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))


def distribution() -> str:
    """The `ID` of /etc/os-release, "" where there is none."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line[3:].strip('"') for line in lines if line.startswith("ID=")), "")


def needs(purpose: str = "run") -> list[Need]:
    found = [
        Need("Tesseract with English", ("tesseract-ocr", "tesseract-ocr-eng"), lambda: has_languages("eng")),
        Need(
            "Tesseract's German, French, Spanish, Italian, Dutch or Polish",
            tuple(f"tesseract-ocr-{language}" for language in LANGUAGES),
            lambda: has_languages(*LANGUAGES),
            required=False,
        ),
        Need("Python's venv", (f"python3.{sys.version_info.minor}-venv", "python3-venv"), has_venv),
        Need("the DejaVu fonts", ("fonts-dejavu-core",), lambda: has_font("DejaVuSans.ttf"), required=False),
        Need(
            "the Liberation fonts",
            ("fonts-liberation",),
            lambda: has_font("LiberationSans-Regular.ttf", "LiberationMono-Regular.ttf"),
            required=False,
        ),
    ]
    if purpose == "test":
        found.append(Need("PostgreSQL", ("postgresql",), has_postgresql, required=False))
    if distribution() == "debian":
        # Elsewhere Playwright's own build is taken; see install_chromium.
        found.append(Need("Chromium", ("chromium", "chromium-headless-shell"), has_debians_chromium))
    return found


def as_root(command: Sequence[str]) -> list[str] | None:
    """The command with the rights of root, None where we can't get them. Asks for a password only at a terminal."""
    if os.geteuid() == 0:
        return list(command)
    if not shutil.which("sudo"):
        return None
    return ["sudo", *command] if sys.stdin.isatty() else ["sudo", "-n", *command]


def install_packages(missing: Sequence[Need]) -> None:
    """One call of apt-get for all that is missing. What is still missing afterwards is told by the caller."""
    update = as_root(["apt-get", "update", "-qq"])
    if not shutil.which("apt-get") or update is None:
        return
    # A repository that can't be reached must not stop us: the others may have all that is missing.
    run(update, "apt-get update")
    packages = list(dict.fromkeys(name for need in missing for name in known_packages(need)))
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=180", "-o", "Dpkg::Use-Pty=0"]
    install = as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options, *packages])
    assert install is not None
    run(install, f"apt-get install {' '.join(packages)}")


def known_packages(need: Need) -> list[str]:
    """The packages that apt knows: an unknown name would make the whole call fail."""
    return [name for name in need.packages if known(name)] or list(need.packages)


def known(package: str) -> bool:
    shown = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False)
    return "Candidate:" in shown.stdout and "Candidate: (none)" not in shown.stdout


def prepare_system(purpose: str = "run") -> bool:
    """False when a required part is missing and could not be installed."""
    missing = [need for need in needs(purpose) if not need.present()]
    if missing:
        say(f"missing: {', '.join(need.title for need in missing)}")
        install_packages(missing)
    ready = True
    for need in missing:
        if need.present():
            continue
        ready = ready and not need.required
        word = "is missing" if need.required else "is missing; going on without it"
        say(f"{need.title} {word}. Install it: sudo apt-get install {' '.join(need.packages)}")
    return ready


# The virtual environment


def fingerprint(purpose: str) -> str:
    """What the environment was made from. The folder is part of it: an environment can't be moved."""
    digest = hashlib.sha256(f"{ROOT}\n{purpose}\n".encode())
    for path in (ROOT / "pyproject.toml", ROOT / "constraints.txt", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def wanted(purpose: str) -> str:
    """The largest of what is asked for and what was installed before, so that `run` after `test` takes nothing away."""
    before = STAMP.read_text(encoding="utf-8").split()[:1] if STAMP.exists() else []
    order = list(EXTRAS)
    return max([purpose, *(name for name in before if name in EXTRAS)], key=order.index)


def works(python: Path) -> bool:
    """Whether the environment has a Python and a pip of ours: a copied or half-made one is made anew."""
    command = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        alive = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return alive and f"{VENV}/bin/python" in (VENV / "bin" / "pip").read_text(encoding="utf-8")
    except OSError:
        return False


def prepare_venv(purpose: str) -> bool:
    """Make or renew .venv where anything that it depends on has changed."""
    purpose = wanted(purpose)
    stamp = f"{purpose} {fingerprint(purpose)}\n"
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == stamp and VENV_PYTHON.exists():
        return True
    STAMP.unlink(missing_ok=True)
    if not works(VENV_PYTHON) and not run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], f"making .venv with Python {sys.version.split()[0]}"
    ):
        say("The environment can't be made. Install it: sudo apt-get install python3-venv")
        return False
    extras = f"[{','.join(EXTRAS[purpose])}]" if EXTRAS[purpose] else ""
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    if not run([*pip, "-c", "constraints.txt", "-e", f".{extras}"], "installing Python packages (a minute or two)"):
        say("pip could not install everything. Mend what it says above (network? disk?), then run the command again")
        return False
    STAMP.write_text(stamp, encoding="utf-8")
    return True


def install_chromium() -> bool:
    """Playwright's own build, where neither Debian's package nor another browser is there."""
    if chromium():
        return True
    if os.environ.get("TALLYMAN_CHROMIUM"):
        say("TALLYMAN_CHROMIUM names no program that can be run. Mend it or unset it")
        return False
    command = [str(VENV_PYTHON), "-m", "playwright", "install"]
    with_libraries = shutil.which("apt-get") and as_root(["true"]) is not None
    run([*command, *(["--with-deps"] if with_libraries else []), "chromium"], "installing Playwright's Chromium")
    if chromium():
        return True
    say("Chromium is missing. Install it: sudo .venv/bin/playwright install-deps chromium")
    say("                             and: .venv/bin/playwright install chromium")
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/setup", description="Make this machine ready for Tallyman.")
    parser.add_argument("purpose", nargs="?", choices=list(EXTRAS), default="run")
    purpose = parser.parse_args().purpose
    ready = prepare_system(purpose) and prepare_venv(purpose) and install_chromium()
    return 0 if ready else NOT_READY


if __name__ == "__main__":
    sys.exit(main())
