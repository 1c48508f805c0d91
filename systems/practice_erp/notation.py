"""Which notations the ERP's screens have."""

from tallyman.browser.notation import Notation
from tallyman.errors import ConfigurationError, PageChanged

_SIGNS = {"en": (".", ","), "de": (",", ".")}
_DATES = {
    "mm/dd/yyyy": "%m/%d/%Y",
    "mm-dd-yyyy": "%m-%d-%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "dd.mm.yyyy": "%d.%m.%Y",
}
"""As entry forms print them beside their date fields."""


def notation_of(language: str, printed_pattern: str) -> Notation:
    """Raises ConfigurationError or PageChanged for what is not known: guessing would store other values."""
    if language not in _SIGNS:
        raise ConfigurationError(f"practice_erp knows no language {language!r}; it knows en and de.")
    if printed_pattern not in _DATES:
        raise PageChanged(f"The date pattern {printed_pattern!r} is not known.")
    return Notation(*_SIGNS[language], _DATES[printed_pattern])
