"""A whole training: papers are printed, learned from, and what was learned is exported, measured and described."""

import json
from pathlib import Path

import torch

from models.layout.export import export
from models.layout.network import LayoutConfig, LayoutModel
from models.layout.serving import CALIBRATION, RELEASED
from models.layout.training.card import card
from models.layout.training.curves import draw_curves, draw_reliability
from models.layout.training.figures import calibrated, measured
from models.layout.training.labelled import LabelledPage, load_all
from models.layout.training.loop import Plan, learn
from models.layout.training.printed import files_of, is_held_out, print_pages
from tallyman.contracts.trainer import Tell, TrainingPlan
from tallyman.errors import ConfigurationError


def train(work: Path, release: Path, plan: TrainingPlan, processes: int, tell: Tell) -> None:
    """As Trainer.train; with `processes` at a time."""
    pages = printed_pages(work / "pages", plan.documents, processes, tell)
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    settings = Plan(steps=plan.steps, seed=plan.seed, device=plan.device, workers=max(1, processes - 1))
    model = learn(
        LayoutModel(LayoutConfig()), pages, work / "state", settings, lambda step: tell("Learning", step, plan.steps)
    )
    release.mkdir(parents=True, exist_ok=True)
    export(model.to("cpu"), release / RELEASED)
    calibration = calibrated(release, tell).to_json()
    (release / CALIBRATION).write_text(json.dumps(calibration, indent=1) + "\n", "utf-8")
    figures = measured(release, tell)
    (release / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    (release / "card.md").write_text(card(figures, plan, len(pages)), "utf-8")
    draw_reliability(figures["reliability"], release / "reliability.png")
    draw_curves(work / "state" / "curves.jsonl", release / "curves.png")


def printed_pages(folder: Path, documents: int, processes: int, tell: Tell) -> list[LabelledPage]:
    """Those that are learned from: pages with words, of families that are not held out."""
    for done in print_pages(folder, range(documents), processes):
        tell("Printing", done, documents)
    pages = load_all(file for _, file in files_of(folder, range(documents)))
    learned = [page for page in pages if len(page.words) and not is_held_out(page.group)]
    if not learned:
        raise ConfigurationError("No page is left to learn from.", advice="Print more documents: --documents 1000.")
    return learned
