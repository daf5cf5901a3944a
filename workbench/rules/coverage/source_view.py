"""Rules files as coloured source: green decides, yellow never does, red is not reached.

One page without scripts or other files; all text is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.formatting import html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.rules.coverage.covered import CoveredRule

__all__ = ["coverage_html", "coverage_page"]

_COLOURS = {
    "decides": "background:#c8f0c8;color:#103010",
    "never decides": "background:#fff0b0;color:#403000",
    "never evaluated": "background:#ffd0d0;color:#501010",
    "fires": "background:#c8f0c8;color:#103010",
    "always hidden": "background:#fff0b0;color:#403000",
    "never fires": "background:#ffd0d0;color:#501010",
}
_ORDER = ("decides", "never decides", "never evaluated")
_MAX_LINES = 5_000
_MAX_FINDINGS = 200


@dataclass(slots=True)
class _Stretch:
    """Bytes of a file that hold one check, with the counts of all its uses."""

    start: int
    end: int
    evaluated: int = 0
    true: int = 0
    decisive: int = 0

    @property
    def state(self) -> str:
        if not self.evaluated:
            return _ORDER[2]
        return _ORDER[0] if self.decisive else _ORDER[1]

    @property
    def title(self) -> str:
        return (
            f"{self.state}: evaluated {self.evaluated:,}, true {self.true:,}, "
            f"decisive {self.decisive:,}"
        )


def coverage_html(
    title: str,
    findings: Sequence[str],
    rules: Sequence[CoveredRule],
    texts: Mapping[str, str],
) -> str:
    """Return the summary, what is idle, and every file (name → text) in colours."""
    parts = [html.tag("strong", html.escape(title)), _summary(rules)]
    if findings:
        shown = findings[:_MAX_FINDINGS]
        items = [html.tag("li", html.escape(text, limit=400)) for text in shown]
        if len(findings) > _MAX_FINDINGS:
            more = len(findings) - _MAX_FINDINGS
            items.append(html.tag("li", f"… and {more:,} more"))
        parts.append(html.tag("ul", *items, style="text-align:left"))
    parts += [_file(rules, name, text) for name, text in texts.items()]
    return html.tag("div", *parts)


def coverage_page(content: str) -> str:
    """Return a whole page around what :func:`coverage_html` makes."""
    head = (
        '<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<title>Coverage of rules</title>"
    )
    body = html.tag("h1", "Coverage of rules") + content
    page = html.tag("html", html.tag("head", head), html.tag("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _summary(rules: Sequence[CoveredRule]) -> str:
    names = ("rule", "events", "matched", "alerted", "state")
    head = html.tag("tr", *(html.tag("th", name) for name in names))
    rows = []
    for rule in rules:
        counts = (rule.events, rule.matched, rule.alerted)
        cells = [html.tag("td", html.escape(rule.name, limit=200))]
        cells += [html.tag("td", f"{n:,}", style="text-align:right") for n in counts]
        cells.append(html.tag("td", rule.state, style=_COLOURS[rule.state]))
        rows.append(html.tag("tr", *cells))
    return html.tag("table", html.tag("thead", head), html.tag("tbody", *rows))


def _stretches(rules: Sequence[CoveredRule], name: str) -> list[_Stretch]:
    """Return the checks of a file in order, apart from each other."""
    found: dict[tuple[int, int], _Stretch] = {}
    for rule in rules:
        for check in rule.checks:
            if check.kind != "check" or check.file != name:
                continue
            key = check.start, check.end
            stretch = found.setdefault(key, _Stretch(*key))
            stretch.evaluated += check.evaluated
            stretch.true += check.true
            stretch.decisive += check.decisive
    apart: list[_Stretch] = []
    for stretch in sorted(found.values(), key=lambda s: (s.start, -s.end)):
        if stretch.start < stretch.end and (
            not apart or stretch.start >= apart[-1].end
        ):
            apart.append(stretch)
    return apart


def _file(rules: Sequence[CoveredRule], name: str, text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    states = {r.line: r.state for r in rules if r.file == name}
    stretches = _stretches(rules, name)
    rows, at = [], 0
    for number, line in enumerate(raw.split(b"\n"), 1):
        if number > _MAX_LINES:
            rows.append(html.tag("div", "…"))
            break
        end = at + len(line)
        shown = _line(raw, at, end, stretches)
        style = _COLOURS.get(states.get(number, ""), "color:#888")
        label = html.tag("span", f"{number:5} ", style=style)
        rows.append(html.tag("div", label, " ", shown))
        at = end + 1
        while stretches and stretches[0].end <= at:
            del stretches[0]
    style = "white-space:pre-wrap;text-align:left;font-family:monospace"
    return html.tag("h3", html.escape(name, limit=300)) + html.tag(
        "div", *rows, style=style
    )


def _line(raw: bytes, at: int, end: int, stretches: list[_Stretch]) -> str:
    """Return one line in escaped pieces, those of checks coloured."""
    parts = []
    for stretch in stretches:
        if stretch.start >= end:
            break
        first, last = max(at, stretch.start), min(end, stretch.end)
        if first >= last:
            continue
        parts.append(_escaped(raw[at:first]))
        parts.append(
            html.tag(
                "span",
                _escaped(raw[first:last]),
                style=_COLOURS[stretch.state],
                title=stretch.title,
            )
        )
        at = last
    parts.append(_escaped(raw[at:end].removesuffix(b"\r")))
    return "".join(parts)


def _escaped(raw: bytes) -> str:
    return html.escape(raw.decode("utf-8", "replace").replace("\t", "    "))
