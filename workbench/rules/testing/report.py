"""Results of rule tests: as text, as a table, as JUnit XML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CaseResult", "TestReport"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went. ``message``: "" when it passed.

    ``decided``: whether the case gives all that its rules read.
    """

    name: str
    file: str
    line: int
    message: str = ""
    decided: bool = True

    @property
    def passed(self) -> bool:
        """Whether the case passed."""
        return not self.message

    @property
    def verdict(self) -> str:
        """PASSED, FAILED or NOT DECIDED."""
        if self.passed:
            return "PASSED"
        return "FAILED" if self.decided else "NOT DECIDED"


@dataclass(slots=True)
class TestReport:
    """The results of one or more files of rule tests."""

    __test__ = False

    results: list[CaseResult] = field(default_factory=list)

    @property
    def failures(self) -> list[CaseResult]:
        """The cases that did not pass: that failed, or are not decided."""
        return [r for r in self.results if not r.passed]

    @property
    def summary(self) -> str:
        """How many cases passed, failed, and are not decided."""
        undecided = sum(not r.decided for r in self.results)
        failed = len(self.failures) - undecided
        parts = [f"{len(self) - len(self.failures)} passed", f"{failed} failed"]
        return ", ".join(parts + [f"{undecided} not decided"] * bool(undecided))

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return not self.failures

    def __bool__(self) -> bool:
        """Whether every case passed."""
        return self.passed

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.results)

    def __iter__(self) -> Iterator[CaseResult]:
        """Return the results."""
        return iter(self.results)

    def __str__(self) -> str:
        """Return one line per case and a summary."""
        lines = []
        for result in self.results:
            word = result.verdict
            lines.append(f"{result.file}:{result.line}: {result.name}: {word}")
            lines += [f"    {line}" for line in result.message.splitlines()]
        lines.append(self.summary)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = [
            ("passed" if r.passed else r.verdict, r.name, r.line, r.message)
            for r in self.results
        ]
        return html.table(["", "case", "line", "why"], rows)

    def to_junit(self) -> str:
        """Return the results as JUnit XML."""
        undecided = sum(not r.decided for r in self.results)
        head = (
            f'<testsuites><testsuite name="rule tests" tests="{len(self)}" '
            f'failures="{len(self.failures) - undecided}" errors="{undecided}">'
        )
        parts = ['<?xml version="1.0" encoding="utf-8"?>', head]
        for result in self.results:
            head = (
                f"<testcase classname={quoteattr(_xml(result.file))} "
                f'name={quoteattr(_xml(result.name))} line="{result.line}"'
            )
            if result.passed:
                parts.append(head + "/>")
            else:
                word = "failure" if result.decided else "error"
                first = _xml(result.message.splitlines()[0])
                body = escape(_xml(result.message))
                parts.append(
                    f"{head}><{word} message={quoteattr(first)}>{body}</{word}>"
                    "</testcase>"
                )
        parts.append("</testsuite></testsuites>\n")
        return "\n".join(parts)


def _xml(text: str) -> str:
    """Spell out what XML cannot hold."""
    return "".join(
        c
        if c in "\t\n"
        or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "\x7f\ufffe\uffff")
        else f"\\x{ord(c):02x}"
        for c in text
    )
