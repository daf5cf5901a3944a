"""Pipelines of pySigma that turn Sigma's field names into those of a source."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldFunctionTransformation

from workbench.arguments import wrong
from workbench.errors import RulesError
from workbench.formatting.printable import printable
from workbench.reading import read_regular
from workbench.saving import file_errors

if TYPE_CHECKING:
    from workbench.sigma.sources import SigmaSource

__all__ = ["pipeline_for", "whole_pipeline"]

_MAX_BYTES = 1 << 20


def _in_json(name: str | None, *, source: SigmaSource) -> Any:
    """Return the field of the json plugin that a path is read with; else the name."""
    if name is None or name in source.fields or "json.value" not in source.fields:
        return name
    path = name.removeprefix("data.")
    root, dot, rest = path.partition(".")
    parts = path.split(".")
    if not dot or not rest or root not in source.json_roots or not all(parts):
        return name
    if any(
        not part.replace("-", "_").replace("@", "_").isalnum()
        for part in (p.replace("_", "") or "x" for p in parts)
    ):
        return name
    return f"json.value[/{'/'.join(parts)}]"


def pipeline_for(source: SigmaSource) -> ProcessingPipeline:
    """Return the pipeline of a source; it runs behind those of users."""
    transformation = FieldFunctionTransformation(
        dict(source.mapping), partial(_in_json, source=source)
    )
    item = ProcessingItem(transformation, identifier=f"falco_{source.name}")
    return ProcessingPipeline(
        name=f"Fields of {source.name}", items=[item], priority=50
    )


def whole_pipeline(source: SigmaSource, given: Any) -> ProcessingPipeline:
    """Return the user's pipeline, if any, and that of the source behind it.

    ``given``: a ProcessingPipeline of pySigma, the path of one in YAML, or None. What
    it maps to fields of Falco stays as it is. Raises RulesError and FileError.
    """
    own = pipeline_for(source)
    if given is None:
        return own
    if isinstance(given, ProcessingPipeline):
        return given + own
    if not isinstance(given, str | os.PathLike):
        words = "a ProcessingPipeline of pySigma, or the path of one in YAML"
        raise wrong("rules_from_sigma", "pipeline", words, given)
    with file_errors(given, "read"):
        raw = read_regular(Path(given), _MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise RulesError(f"the pipeline {given} has more than {_MAX_BYTES:,} bytes")
    try:
        return ProcessingPipeline.from_yaml(raw.decode("utf-8")) + own
    except (SigmaError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = printable(str(error), limit=300)
        raise RulesError(
            f"the pipeline {given} is not one of pySigma: {reason}"
        ) from None
    except Exception as error:  # noqa: BLE001 - YAML's errors, of two libraries
        reason = printable(str(error), limit=300)
        raise RulesError(f"the pipeline {given} is not valid YAML: {reason}") from None
