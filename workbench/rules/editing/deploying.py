"""Rules as operators deploy them: values of Falco's Helm chart, a ConfigMap.

Both hold a file name and the text of the file, which Falco mounts among its rules.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import RulesError
from workbench.yamlcpp.emit import INDENT, pair, scalar

if TYPE_CHECKING:
    import os

__all__ = ["FORMS", "deployed"]

# What rules are saved as; the first is a rules file.
FORMS = ("rules", "helm", "configmap", "falco")
# Most bytes of all that a ConfigMap holds, and of a name of it.
_MAX_CONFIG_MAP = 1 << 20
_MAX_NAME = 253
_FILE_NAME = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]{0,200}\.ya?ml")


def deployed(form: str, text: str, path: str | os.PathLike[str], file_name: str) -> str:
    """Return the document that deploys a rules file.

    ``form``: "helm" or "configmap". ``path``: where it goes; its stem names the
    ConfigMap. ``file_name``: of the rules file. Raises RulesError for a text that does
    not fit.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise RulesError(
            "the rules hold bytes that are not UTF-8, which Kubernetes refuses; save "
            "them as a rules file"
        ) from None
    name = file_name if _FILE_NAME.fullmatch(file_name) else "custom_rules.yaml"
    if form == "helm":
        return f"customRules:\n{pair(name, text)}\n"
    if size > _MAX_CONFIG_MAP:
        raise RulesError(
            f"the rules take {size:,} bytes; a ConfigMap holds {_MAX_CONFIG_MAP:,} at "
            "most: deploy them as an artifact, with workbench push"
        )
    return (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        f"{INDENT}name: {scalar(_object_name(Path(path).stem))}\n"
        "data:\n"
        f"{pair(name, text)}\n"
    )


def _object_name(stem: str) -> str:
    """Return a name that Kubernetes takes: small letters, digits, dots and dashes."""
    name = re.sub(r"[^a-z0-9.-]+", "-", stem.lower())
    name = re.sub(r"\.+", ".", name)[:_MAX_NAME].strip("-.")
    name = re.sub(r"-*\.-*", ".", name)
    return name or "falco-rules"
