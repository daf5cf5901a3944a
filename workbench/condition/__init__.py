"""Conditions: Falco's language over Arrow tables, with the engine's verdicts."""

from __future__ import annotations
