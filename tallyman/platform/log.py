"""Structured logs, one JSON object a line in TALLYMAN_HOME/tallyman.log, without secrets and personal data."""

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

_URL_QUERY = re.compile(r"(https?://[^\s?#\"']+)[?#][^\s\"']*")
_URL_USER = re.compile(r"(https?://)[^\s/@]+@")
_IBAN = re.compile(r"\b([A-Z]{2})\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b")
_SECRET_KEYS = re.compile(r"passw|secret|token|cookie|authori[sz]ation|api.?key", re.IGNORECASE)


def redact(text: str) -> str:
    """The text without query strings, users in URLs, bank accounts and mail addresses."""
    text = _URL_USER.sub(r"\1***@", _URL_QUERY.sub(r"\1?***", text))
    return _MAIL.sub("***", _IBAN.sub(r"\1***", text))


def _redact_event(_logger: Any, _method: str, event: Any) -> Any:
    def clean(key: str, value: Any) -> Any:
        if _SECRET_KEYS.search(key):
            return "***"
        return redact(value) if isinstance(value, str) else value

    return {key: clean(key, value) for key, value in event.items()}


def configure(file: Path, *, level: int = logging.INFO) -> None:
    """Send our log and the libraries' to the file. Call once a process."""
    logging.raiseExceptions = False  # a log that can't be written, on a full disk say, is no stack trace for a user
    handler = RotatingFileHandler(file, maxBytes=10_000_000, backupCount=3, encoding="utf-8", delay=True)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redact_event,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers:
        old.close()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> Any:
    return structlog.get_logger(name)
