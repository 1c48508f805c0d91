"""The import rules of pyproject.toml are kept, would be seen if they were broken, and look at every module."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

import tallyman

ROOT = Path(__file__).resolve().parents[2]
RULES: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PACKAGES: list[str] = RULES["root_packages"]

BREAKS = [
    ("layers", "tallyman.domain.money", "tallyman.errors"),
    ("layers", "tallyman.errors", "tallyman.contracts"),
    ("layers", "tallyman.matching.lines", "tallyman.contracts"),
    ("layers", "tallyman.platform.config", "tallyman.browser"),
    ("layers", "tallyman.store.tables", "tallyman.browser"),
    ("layers", "tallyman.browser.tab", "tallyman.registry"),
    ("layers", "tallyman.registry", "tallyman.runtime"),
    ("layers", "tallyman.runtime.engine", "tallyman.office"),
    ("layers", "tallyman.office.app", "tallyman.cli"),
    ("machine", "tallyman.cli.demo", "bots.clerk"),
    ("machine", "tallyman.registry", "models.readers"),
    ("machine", "tallyman.cli.serve", "fixtures.office"),
    ("extensions", "bots.clerk", "systems.erp"),
    ("extensions", "models.readers.rules", "ocr.engines"),
    ("product", "systems.erp.pages", "fixtures.office"),
    ("product", "bots.clerk.bot", "tests.unit"),
    ("brother-bots", "bots.clerk.bot", "bots.porter"),
    ("brother-systems", "systems.erp.pages", "systems.portal.pages"),
    ("brother-engines", "ocr.engines.one", "ocr.engines.two"),
    ("readers", "models.documents.invoice", "models.readers"),
    ("synthetic-readers", "models.synthetic.look", "models.readers"),
    ("readers", "models.readers.rules", "models.cross_checks"),
    ("synthetic-cross-checks", "models.synthetic.look", "models.cross_checks"),
    ("synthetic-documents", "models.documents.invoice", "models.synthetic"),
    ("synthetic-layout", "models.synthetic.look", "models.layout"),
    ("synthetic-layout", "models.synthetic.view", "models.trainers"),
    ("served-layout", "models.layout.decode", "models.layout.training"),
    ("served-layout", "models.layout.features", "models.synthetic"),
    ("served-layout", "models.layout.memory", "models.layout.training"),
    ("served-layout", "models.layout.onnx_network", "models.layout.training"),
    ("served-layout", "models.layout.serving", "models.synthetic"),
    ("pure", "tallyman.domain.money", "sqlalchemy"),
    ("pure", "tallyman.contracts.system", "playwright.sync_api"),
    ("pure", "tallyman.matching.lines", "numpy"),
]


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def write(folder: Path, module: str, text: str = "") -> None:
    """Write a module and the packages that it lies in."""
    *packages, name = module.split(".")
    for depth in range(1, len(packages) + 1):
        package = folder.joinpath(*packages[:depth])
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
    folder.joinpath(*packages, f"{name}.py").write_text(text, encoding="utf-8")


def small_house(folder: Path) -> None:
    """All packages that BREAKS names, with nothing in them."""
    for package in PACKAGES:
        write(folder, f"{package}.empty")
    for _, importer, imported in BREAKS:
        for module in (importer, imported):
            if module.split(".")[0] in PACKAGES and not folder.joinpath(*module.split(".")).is_dir():
                write(folder, f"{module}.empty" if "." in module and module != "tallyman.errors" else module)


def test_the_import_rules_are_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_house_without_forbidden_imports_is_accepted(tmp_path: Path) -> None:
    small_house(tmp_path)
    assert lint(tmp_path).returncode == 0


@pytest.mark.parametrize("rule", sorted({rule for rule, _, _ in BREAKS}))
def test_a_forbidden_import_breaks_its_rule(tmp_path: Path, rule: str) -> None:
    small_house(tmp_path)
    pairs = [(importer, imported) for name, importer, imported in BREAKS if name == rule]
    for importer, imported in pairs:
        path = tmp_path.joinpath(*importer.split("."))
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).write_text(f"import {imported}\n")
    result = lint(tmp_path, "--contract", rule)
    assert result.returncode == 1, result.stdout + result.stderr
    told = " ".join(result.stdout.split())
    assert [pair for pair in pairs if f"{pair[0]} -> {pair[1].removesuffix('.sync_api')}" not in told] == []


def test_every_rule_is_broken_once_in_these_tests() -> None:
    assert {contract["id"] for contract in RULES["contracts"]} == {rule for rule, _, _ in BREAKS}


def documents_at_fault(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    """(importer, imported) where a document type knows another one, or what is shared (common*, _*) knows a type."""
    members = graph.find_children("models.documents")
    shared = {name for name in members if name.rsplit(".", 1)[1].startswith(("common", "_"))}
    layers = [grimp.Layer(*sorted(members - shared)), grimp.Layer(*sorted(shared), independent=False)]
    found = graph.find_illegal_dependencies_for_layers([layer for layer in layers if layer.module_tails])
    return {(dependency.importer, dependency.imported) for dependency in found}


def test_document_types_do_not_know_each_other() -> None:
    graph = grimp.build_graph("models", cache_dir=None)
    assert len(graph.find_children("models.documents")) > 2
    assert documents_at_fault(graph) == set()


def test_a_document_type_that_knows_another_is_seen() -> None:
    graph = grimp.ImportGraph()
    for name in ("", ".invoice", ".invoice.checks", ".pod", ".common_sums", ".common_money"):
        graph.add_module(f"models.documents{name}")
    for importer, imported in (("invoice.checks", "common_sums"), ("common_sums", "common_money")):
        graph.add_import(importer=f"models.documents.{importer}", imported=f"models.documents.{imported}")
    assert documents_at_fault(graph) == set()
    graph.add_import(importer="models.documents.invoice.checks", imported="models.documents.pod")
    graph.add_import(importer="models.documents.common_sums", imported="models.documents.pod")
    assert documents_at_fault(graph) == {
        ("models.documents.invoice", "models.documents.pod"),
        ("models.documents.common_sums", "models.documents.pod"),
    }


def test_every_module_on_the_disk_is_looked_at() -> None:
    seen = grimp.build_graph(*PACKAGES, cache_dir=None).modules
    on_disk = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        # Tests may import all; migrations are loaded by path and are no modules.
        if package != "tests" and "migrations" not in path.parts
    }
    assert len(on_disk) > 30
    assert on_disk - seen == set(), "not looked at: these folders, or one above them, need an __init__.py"


def test_no_python_lies_in_selectors() -> None:
    """A module there would shadow Python's own `selectors`, and asyncio would die."""
    assert list((ROOT / "selectors").rglob("*.py")) == []
    assert not (ROOT / "selectors.py").exists()


def test_the_public_surface_is_what_we_say() -> None:
    assert tallyman.__all__ == ["__version__"]
    assert all(hasattr(tallyman, name) for name in tallyman.__all__)
