"""Tallyman: the back-office clerk for systems that have no API."""

__version__ = "0.1.0"

__all__ = ["__version__"]
