"""Tests by distance: unit, contract, integration, acceptance, chaos."""
