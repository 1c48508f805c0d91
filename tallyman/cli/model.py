"""`tallyman model`: train, measure, approve and take back the models that read documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tallyman.cli.common import err, out, print_json, user_name
from tallyman.cli.tables import new_table, print_table
from tallyman.contracts.trainer import Tell, TrainingPlan
from tallyman.errors import ConfigurationError
from tallyman.platform import clock
from tallyman.platform.config import Home
from tallyman.platform.releases import Releases, seal
from tallyman.registry import ROOT, Registry

app = typer.Typer(help="The models that read documents: train, measure, approve, go back.", no_args_is_help=True)

_SHIPPED = ROOT / "models" / "registry"
_COLUMNS = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
_PLAN = "plan.json"
"""In the folder of a training: what it was begun with."""
_LINES = 20
"""Where nobody watches, so many lines for each part of the work."""
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Option("--name", help="Which model.")]
Version = Annotated[str, typer.Argument(help="The release's version.", metavar="VERSION")]


@app.command("list")
def list_releases(name: Name = "layout", as_json: Json = False) -> None:
    """All releases of a model, and which one is served."""
    releases = _releases(name)
    current = releases.current
    told: list[dict[str, Any]] = [
        {
            "version": release.version,
            "from": "the project" if release.shipped else "this installation",
            "served": current is not None and release.folder == current.folder,
            "metrics": release.metrics,
        }
        for release in releases
    ]
    if as_json:
        print_json(told)
        return
    if not told:
        out.print("There is no model yet. Next: `tallyman model train`.")
        return
    table = new_table()
    for column in ("Version", "From", "Served", "Figures"):
        table.add_column(column)
    for one in told:
        cells = (str(one["version"]), str(one["from"]), "yes" if one["served"] else "no", _short(one["metrics"]))
        table.add_row(*(escape(cell) for cell in cells))
    print_table(table)
    out.print("Next: `tallyman model approve VERSION`, or `tallyman model rollback`.", highlight=False)


@app.command()
def train(
    name: Name = "layout",
    version: Annotated[str, typer.Option("--version", help="What to call it; else today's date.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Prove the whole path in minutes; good for nothing.")] = False,
    documents: Annotated[int | None, typer.Option(min=1, help="To print; else as for the shipped one.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches to learn from; else as the shipped one.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda where there is a GPU.")] = "cpu",
) -> None:
    """Train a model. It goes on where it was stopped, and serves nobody until it is approved."""
    trainer = Registry().trainer(name)
    releases, root = _releases(name), Home().training / name
    plan = trainer.quick if quick else trainer.shipped
    asked: dict[str, Any] = {"documents": documents, "steps": steps}
    plan = plan.model_copy(update={key: value for key, value in asked.items() if value} | {"device": device})
    today = clock.now().strftime("%Y.%m.%d") + ("-quick" if quick else "")
    version = version or _stopped(root, releases, plan) or today
    folder, work = releases.place(version), root / version
    work.mkdir(parents=True, exist_ok=True)
    if _plan_of(work) not in (None, plan):
        raise ConfigurationError(
            f"A training of {version} was begun with another plan.",
            advice=f"Give another --version, or delete {work}.",
        )
    (work / _PLAN).write_text(plan.model_dump_json(), "utf-8")
    partial = work / "release"
    with _shown() as tell:
        trainer.train(work, partial, plan, tell)
    seal(partial)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(folder)
    out.print(f"Trained: {version}. {_short(_metrics(name, version))}", highlight=False)
    out.print(f"Its card and curves are in {folder}. Next: `tallyman model approve {version}`.", highlight=False)


@app.command()
def evaluate(version: Version, name: Name = "layout", as_json: Json = False) -> None:
    """Measure a release anew, on printed documents that no training sees."""
    trainer, release = Registry().trainer(name), _releases(name).of_version(version)
    release.check()
    work = Home().training / name / "evaluation"
    work.mkdir(parents=True, exist_ok=True)
    with _shown() as tell:
        told = dict(trainer.evaluate(release.folder, work, tell))
    if as_json:
        print_json(told)
        return
    table = new_table()
    for column in ("Figure", "Value"):
        table.add_column(column)
    for key, value in told.items():
        table.add_row(escape(str(key)), escape(str(value)))
    print_table(table)


@app.command()
def approve(version: Version, name: Name = "layout") -> None:
    """From now on this release is the one to serve. Your name is written down."""
    release = _releases(name).approve(version, user_name())
    out.print(f"{release.version} is approved, and the one to serve.", highlight=False)


@app.command()
def rollback(name: Name = "layout") -> None:
    """Go back to the release that was approved before."""
    release = _releases(name).roll_back(user_name())
    out.print(
        f"{release.version} is the one to serve again." if release else "No model is served now.", highlight=False
    )


def _stopped(root: Path, releases: Releases, plan: TrainingPlan) -> str:
    """The version of the latest training by this plan that has not come to its end; "" when there is none."""
    done = {release.version for release in releases}
    works = sorted(root.glob(f"*/{_PLAN}"), key=lambda file: file.stat().st_mtime, reverse=True)
    begun = (file.parent for file in works if file.parent.name not in done)
    return next((work.name for work in begun if _plan_of(work) == plan), "")


def _plan_of(work: Path) -> TrainingPlan | None:
    file = work / _PLAN
    try:
        return TrainingPlan.model_validate_json(file.read_bytes()) if file.exists() else None
    except ValidationError as error:
        raise ConfigurationError(f"{file} can't be read.", advice=f"Delete {work}.") from error


def _releases(name: str) -> Releases:
    Registry().trainer(name)
    return Releases(_SHIPPED / name, Home().models / name)


def _metrics(name: str, version: str) -> dict[str, Any]:
    return _releases(name).of_version(version).metrics


def _short(metrics: dict[str, Any]) -> str:
    """The figures that are single numbers."""
    return ", ".join(f"{key} {value}" for key, value in metrics.items() if isinstance(value, (int, float)))


@contextmanager
def _shown() -> Iterator[Tell]:
    """A bar for each part of the work; plain lines where nobody watches."""
    with Progress(*_COLUMNS, console=err, disable=not err.is_terminal) as shown:
        tasks: dict[str, Any] = {}
        told: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(escape(what), total=total)
            shown.update(tasks[what], completed=done, total=total)
            part = done * _LINES // max(1, total)
            if not err.is_terminal and part != told.get(what):
                told[what] = part
                err.print(f"{what}: {done} of {total}", highlight=False, markup=False)

        yield tell
