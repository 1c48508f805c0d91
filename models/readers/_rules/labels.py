"""The phrase books of labels.yaml, folded once."""

from pathlib import Path

import yaml

from models.readers._rules.sheet import phrase_book

_BOOKS = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text(encoding="utf-8"))

HEADER = phrase_book(_BOOKS["header"])
TOTALS = phrase_book(_BOOKS["totals"])
PARTIES = phrase_book(_BOOKS["parties"])
COLUMNS = phrase_book(_BOOKS["columns"])
POD = phrase_book(_BOOKS["pod"])
_SHARED = ("description", "unit", "line_number")
POD_COLUMNS = phrase_book(
    {**_BOOKS["pod_columns"], **{name: _BOOKS["columns"][name] + _BOOKS["pod_columns"][name] for name in _SHARED}}
)
