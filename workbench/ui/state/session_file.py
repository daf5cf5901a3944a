"""A session on disk: what a person made in a lab, without the events."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.reading import read_regular
from workbench.saving import save_text
from workbench.ui.state.document import SCRATCH, Chip, Document, Tab
from workbench.ui.state.rule_draft import RuleDraft

__all__ = ["SessionFile", "load_session", "save_session"]

_VERSION = 1
_MAX_BYTES = 256 * 1024
_MAX_LABELS = 10_000
_TEXTS = ("name", "desc", "output", "priority", "source", "tags")


def _tab_data(tab: Tab) -> dict[str, Any]:
    data: dict[str, Any] = {"id": tab.id, "text": tab.text, "origin": tab.origin}
    data["muted"] = list(tab.muted)
    if tab.draft is not None:
        data["rule"] = {name: getattr(tab.draft, name) for name in _TEXTS}
        data["exceptions"] = [
            [e.name, e.fields, e.comps, e.values] for e in tab.draft.exceptions
        ]
    return data


def session_data(lab: Any) -> dict[str, Any]:
    """Return everything that a session keeps, as JSON."""
    doc = lab.desk.doc
    return {
        "workbench_session": _VERSION,
        "at": time.strftime("%H:%M"),
        "tabs": [_tab_data(tab) for tab in doc.tabs],
        "closed": [_tab_data(tab) for tab in doc.closed],
        "active": doc.active,
        "chips": [asdict(chip) for chip in doc.chips],
        "find": doc.find,
        "axis": doc.axis,
        "brush": doc.brush,
        "show": sorted(doc.show),
        "sort": doc.sort,
        "columns": list(doc.columns),
        "widths": dict(doc.widths),
        "labels": [[n, v] for n, v in list(doc.labels.items())[:_MAX_LABELS]],
        "layout": lab.main.state["layout"],
        "history": list(lab.condition_panel.history)[-200:],
        "params": lab.stream.params,
        "source": lab.stream.source,
        "limits": asdict(lab.stream.limits),
        "files": [f for f in lab.rules.files if Path(f).exists()],
    }


def save_session(lab: Any, path: str | os.PathLike[str]) -> Path:
    """Write a session, readable by its owner alone. Raises WorkbenchError."""
    text = json.dumps(session_data(lab), ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > _MAX_BYTES:
        raise WorkbenchError("the session is larger than 256 KB; close some tabs")
    target = save_text(Path(path).expanduser(), text)
    target.chmod(0o600)
    return target


def load_session(lab: Any, path: str | os.PathLike[str]) -> None:
    """Take a session from a file. Raises WorkbenchError for what is none."""
    try:
        raw = read_regular(Path(path).expanduser(), _MAX_BYTES + 1)
        data = json.loads(raw)
        document = _document(data)
    except OSError as error:
        raise WorkbenchError(f"no session could be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise WorkbenchError(f"{path} is not a session of a lab") from error
    for file in data.get("files", []):
        known = {str(Path(f).resolve()) for f in lab.rules.files}
        if Path(file).is_file() and str(Path(file).resolve()) not in known:
            lab.desk.library.open(str(file))
    lab.desk.settle(document)
    lab.condition_panel.history.extend(data.get("history", []))
    lab.main.put(layout=dict(data.get("layout") or {}))
    if data.get("params"):
        lab.stream.params = str(data["params"])
        lab.stream.part.put(params=lab.stream.params)
    limits = data.get("limits") or {}
    lab.stream.set_limits(**{k: limits[k] for k in ("events", "seconds", "mebibytes")})
    lab.main.put(restored=str(data.get("at", "")))


def _document(data: dict[str, Any]) -> Document:
    if data["workbench_session"] != _VERSION:
        raise ValueError("another version")
    tabs = tuple(_tab(item) for item in data["tabs"])
    if not any(tab.id == SCRATCH for tab in tabs):
        tabs = (Tab(SCRATCH), *tabs)
    brush, sort = data.get("brush"), data.get("sort")
    return Document(
        tabs=tabs,
        active=str(data["active"]),
        closed=tuple(_tab(item) for item in data.get("closed", [])),
        chips=tuple(
            Chip(str(c["check"]), str(c["field"]), str(c["value"]), bool(c["negate"]))
            for c in data["chips"]
        ),
        find=str(data["find"]),
        axis=str(data["axis"]),
        brush=(int(brush[0]), int(brush[1])) if brush else None,
        show=frozenset(str(s) for s in data["show"]),
        sort=(str(sort[0]), bool(sort[1])) if sort else None,
        columns=tuple(str(c) for c in data["columns"]),
        widths={str(k): int(v) for k, v in data["widths"].items()},
        labels={int(n): bool(v) for n, v in data["labels"]},
    )


def _tab(data: dict[str, Any]) -> Tab:
    draft = None
    if "rule" in data:
        from workbench.rules import RuleException

        texts: dict[str, Any] = {n: str(data["rule"][n]) for n in _TEXTS}
        draft = RuleDraft(**texts)
        draft.exceptions = [RuleException(*item) for item in data["exceptions"]]
    return Tab(
        str(data["id"]),
        str(data["text"]),
        draft,
        str(data["origin"]),
        tuple(str(m) for m in data["muted"]),
    )


class SessionFile:
    """Where a lab in a notebook keeps its session by itself."""

    _taken: dict[str, int] = {}  # noqa: RUF012 - shared on purpose: labs of one kernel

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: tuple[Any, ...] | None = None

    @classmethod
    def of(cls, name: str) -> SessionFile | None:
        """Return the file for a lab over ``name``; None outside of a notebook server.

        A second lab of the same name in one kernel gets another file.
        """
        notebook = os.environ.get("JPY_SESSION_NAME")
        if not notebook:
            return None
        number = cls._taken[name] = cls._taken.get(name, 0) + 1
        words = f"{notebook} {name}{'' if number == 1 else f' {number}'}"
        file = re.sub(r"[^A-Za-z0-9.]+", "_", words).strip("_")[-150:]
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
        return cls(Path(home) / "falco-workbench" / "sessions" / f"{file}.json")

    def keep(self, lab: Any) -> None:
        """Write the session when something is different from what was written."""
        now = (lab.desk.doc, str(lab.main.state["layout"]), lab.stream.params)
        if now == self._written:
            return
        self._written = now
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        save_session(lab, self.path)

    def restore(self, lab: Any) -> None:
        """Take what was kept; a file that is none is left alone."""
        if self.path.is_file():
            lab.restore(self.path)
