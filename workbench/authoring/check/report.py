"""Findings of a check, and how they become text, HTML, JSON and SARIF."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.authoring.check.codes import CODES
from workbench.errors import PluginHung
from workbench.formatting.html import escape, table, tag
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from workbench.authoring.check.codes import Severity
    from workbench.errors import WorkbenchError
    from workbench.manifest import Manifest

__all__ = ["CheckReport", "Finding", "first_line"]

_ORDER = ("error", "warning", "note")
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def first_line(error: Exception) -> str:
    """Return the first line of an error's message: what failed, without the advice."""
    return str(error).splitlines()[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: what it is about, what was seen, and the correction."""

    code: str
    subject: str
    message: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """The severity: "error", "warning" or "note"."""
        return CODES[self.code].severity

    @property
    def reason(self) -> str:
        """Why it matters."""
        return CODES[self.code].reason

    def to_dict(self) -> dict[str, str]:
        """Return plain data for JSON."""
        return {
            "severity": self.severity,
            "code": self.code,
            "subject": self.subject,
            "message": self.message,
            "reason": self.reason,
            "hint": self.hint,
        }


@dataclass(slots=True)
class CheckReport:
    """All findings about one plugin.

    ``done``: the checks carried out, in order. ``measured``: numbers seen, by name with
    the unit in it. ``registry_entry``: YAML text ready for the plugin registry.
    """

    path: str
    manifest: Manifest
    findings: list[Finding] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    registry_entry: str = ""

    def add(self, code: str, subject: str, message: str, hint: str = "") -> None:
        """Add a finding, once."""
        finding = Finding(code, subject, message, hint)
        if finding not in self.findings:
            self.findings.append(finding)

    def add_crash(self, subject: str, error: WorkbenchError) -> None:
        """Add a crash or a hang, with the call and the event that the error names."""
        code = "HANG" if isinstance(error, PluginHung) else "CRASH"
        self.add(code, subject, first_line(error))

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(f.severity == "error" for f in self.findings)

    def sorted(self) -> list[Finding]:
        """Return the findings, worst first, in the order found within a severity."""
        return sorted(self.findings, key=lambda f: _ORDER.index(f.severity))

    def counts(self) -> dict[str, int]:
        """Count the findings by severity."""
        return {word: sum(f.severity == word for f in self.findings) for word in _ORDER}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of ``workbench check --json``."""
        return {
            "plugin": self.manifest.name,
            "version": self.manifest.version,
            "path": self.path,
            "ok": self.ok,
            "counts": self.counts(),
            "findings": [f.to_dict() for f in self.sorted()],
            "checks": self.done,
            "measured": self.measured,
            "registry_entry": self.registry_entry,
        }

    def to_sarif(self) -> dict[str, Any]:
        """Return the findings in SARIF 2.1.0, as code scanning services read them."""
        used = sorted({f.code for f in self.findings})
        rules = [
            {"id": code, "shortDescription": {"text": CODES[code].reason}}
            for code in used
        ]
        results = [
            {
                "ruleId": f.code,
                "level": f.severity,
                "message": {
                    "text": f"{f.subject}: {f.message}"
                    + (f" — {f.hint}" if f.hint else "")
                },
                "locations": [
                    {"physicalLocation": {"artifactLocation": {"uri": self.path}}}
                ],
            }
            for f in self.sorted()
        ]
        driver = {"name": "workbench check", "rules": rules}
        return {
            "$schema": _SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        }

    def verdict(self) -> str:
        """Return the result in one line."""
        parts = [
            f"{n} {word}{'s' * (n != 1)}" for word, n in self.counts().items() if n
        ]
        name = f"{self.manifest.name or self.path} {self.manifest.version}".strip()
        shown = printable(name, limit=200)
        return f"{shown}: {', '.join(parts) or 'no complaints'}"

    def __repr__(self) -> str:
        """Return a paragraph per finding, the numbers measured, and the verdict."""
        lines = []
        for f in self.sorted():
            subject = printable(f.subject, limit=80)
            lines.append(f"{f.severity:7}  {f.code:18}  {subject}")
            lines.append(f"         {printable(f.message, limit=400)}")
            lines.append(f"         why: {f.reason}")
            if f.hint:
                lines.append(f"         do: {printable(f.hint, limit=400)}")
        if self.measured:
            lines.append("measured:")
            lines += [f"  {k}: {v:,.6g}" for k, v in self.measured.items()]
        lines.append(self.verdict())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            (f.severity, f.code, f.subject, f.message, f.reason, f.hint)
            for f in self.sorted()
        ]
        header = ("severity", "code", "about", "seen", "why it matters", "what to do")
        return tag("p", escape(self.verdict())) + table(header, rows, limit=400)
