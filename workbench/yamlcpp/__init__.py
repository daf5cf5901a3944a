"""YAML as the rules engine reads it: bytes → tokens → nodes with exact byte ranges.

The engine reads rules files and falco.yaml with yaml-cpp, which differs from other
readers in what it accepts, in which duplicate key counts and in that scalars stay text.
This reader follows it, which no library does: :func:`load_documents` returns nodes that
know their byte range, so that diagnostics and edits find their position. Nothing is
ever constructed from tags.
"""

from __future__ import annotations

from workbench.yamlcpp.convert import (
    as_bool,
    as_float,
    as_int,
    as_uint32,
    plain_json,
)
from workbench.yamlcpp.nodes import Node, SourceText, YamlError
from workbench.yamlcpp.parser import load_documents

__all__ = [
    "Node",
    "SourceText",
    "YamlError",
    "as_bool",
    "as_float",
    "as_int",
    "as_uint32",
    "load_documents",
    "plain_json",
]
