"""`python -m models.synthetic --out DIR --count N --seed S`: random papers, truth.jsonl and gallery.html."""

import argparse
from pathlib import Path

from rich.progress import track

from models.synthetic.gallery import write_gallery
from models.synthetic.printer import Printed, Printer, write_truth
from models.synthetic.sampling import random_invoice, random_pod
from models.synthetic.wide import LANGUAGES


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m models.synthetic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to; made where it is missing")
    parser.add_argument("--count", type=int, default=20, help="how many papers (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first paper (default: 1)")
    parser.add_argument("--kind", choices=("invoice", "pod"), help="one kind only (default: three invoices, one POD)")
    parser.add_argument("--paper", choices=("clean", "hybrid", "scan"), help="one paper only (default: mixed)")
    parser.add_argument("--language", choices=LANGUAGES, help="one language only (default: English, German, French)")
    options = parser.parse_args(arguments)
    if options.kind == "pod" and options.paper == "hybrid":
        parser.error("a proof of delivery has no hybrid form")
    papers = _print_all(options)
    write_truth(options.out / "truth.jsonl", [paper.truth for paper in papers])
    write_gallery(papers, options.out / "gallery.html")
    print(f"{len(papers)} papers, truth.jsonl and gallery.html are in {options.out}")


def _print_all(options: argparse.Namespace) -> list[Printed]:
    papers = []
    with Printer() as printer:
        seeds = range(options.seed, options.seed + options.count)
        for seed in track(seeds, description="Printing"):
            pod = options.kind == "pod" or (options.kind is None and options.paper != "hybrid" and seed % 4 == 0)
            out = options.out / f"{'pod' if pod else 'invoice'}-{seed:05d}.pdf"
            if pod:
                slip, style = random_pod(seed, options.paper, options.language)
                papers.append(printer.print(slip, style, out, seed))
            else:
                invoice, style = random_invoice(seed, options.paper, options.language)
                papers.append(printer.print(invoice, style, out, seed))
    return papers


if __name__ == "__main__":
    main()
