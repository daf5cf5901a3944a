"""The rule set of a lab and the files it came from: read, changed, saved, merged.

A file is written only over what was read from it: when another program changed it
meanwhile, :class:`FileChanged` says so and nothing is written until a choice is made.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.reading import read_regular
from workbench.saving import save_text
from workbench.ui.state import rule_queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.rules import Rule, RuleSet

__all__ = ["FileChanged", "RuleLibrary", "RuleRefused"]

_MAX_BYTES = 32 << 20
_DRAFT_NAME = "rules.yaml"


class FileChanged(WorkbenchError):
    """A file is not what was read from it, or was never read.

    ``path``: the file. ``unread``: it was there before the lab knew of it. ``base``,
    ``disk``: the rule as read and as it is now, None for none.
    """

    def __init__(
        self, path: Path, base: Rule | None, disk: Rule | None, *, unread: bool
    ) -> None:
        self.path, self.base, self.disk, self.unread = path, base, disk, unread
        what = "is there already" if unread else "was changed by another program"
        super().__init__(f"{path.name} {what}; nothing was written")


class RuleRefused(WorkbenchError):
    """Falco would refuse the file; ``lines``: why."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("not saved: Falco would refuse it: " + "; ".join(lines[:3]))


@dataclass(slots=True)
class _Read:
    """What a file held when it was read or written last."""

    text: str


def _text_of(path: Path) -> str | None:
    if not path.exists():
        return None
    raw = read_regular(path, _MAX_BYTES)
    return raw.decode("utf-8", "surrogateescape")


def _only_rule(rules: RuleSet, name: str) -> Rule | None:
    return next((r for r in rule_queries.rules_of(rules) if r.name == name), None)


class RuleLibrary:
    """A rule set, with the files on disk that it stands for."""

    def __init__(self) -> None:
        from workbench.rules import RuleSet

        self.rules: RuleSet = RuleSet()
        self._read: dict[str, _Read] = {}
        self.version = 0

    def take(self, rules: RuleSet) -> None:
        """Take a rule set as loaded; its files are known as read."""
        self.rules = rules
        self._read = {}
        for name, text in rules.texts.items():
            path = Path(name).expanduser()
            if path.exists():
                self._read[str(path.resolve())] = _Read(text)
        self.touch()

    def touch(self) -> None:
        """Note that the rules are others now."""
        self.version += 1

    def open(self, path: str) -> int:
        """Read a rules file beside those that are here; return its number of rules.

        Raises WorkbenchError for an empty or missing path.
        """
        from workbench.rules import load_rules

        text = path.strip()
        if not text:
            raise WorkbenchError("give the path of a rules file")
        target = Path(text).expanduser().resolve()
        if not target.is_file():
            raise WorkbenchError(f"no such file: {target}")
        loaded = load_rules(target)
        before = [name for name in self.rules.files if Path(name).resolve() != target]
        kept = [f for f in self.rules._files if f.source.name in before]  # noqa: SLF001
        from workbench.rules import RuleSet

        self.rules = RuleSet([*kept, *loaded._files])  # noqa: SLF001
        self._read[str(target)] = _Read(loaded.texts[loaded.files[0]])
        self.touch()
        return len(rule_queries.rules_of(loaded))

    # -- what there is ----

    def rule(self, name: str) -> Rule | None:
        """Return a rule by name, None for none."""
        return _only_rule(self.rules, name)

    def file_of(self, name: str, kind: str = "rule") -> str:
        """Return the file that defines a rule last, "" for none."""
        from workbench.rules import parse_rules

        for file, text in reversed(list(self.rules.texts.items())):
            held: Any = getattr(parse_rules(text), f"{kind}s")
            if name in held.keys():  # noqa: SIM118 - names, not items
                return file
        return ""

    def lines_of(self, names: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return rule → (file name, line of its item), for those that are found."""
        out: dict[str, tuple[str, int]] = {}
        wanted = set(names)
        for file, text in self.rules.texts.items():
            for number, line in enumerate(text.splitlines(), 1):
                head = line.lstrip("- ").strip()
                if line.lstrip().startswith("-") and head.startswith("rule:"):
                    name = head[5:].split(" #")[0].strip().strip("\"'")
                    if name in wanted:
                        out[name] = (file, number)
        return out

    def unsaved(self) -> list[str]:
        """Return the files whose text differs from what was read."""
        return [
            name
            for name, text in self.rules.texts.items()
            if (known := self._read.get(str(Path(name).expanduser().resolve()))) is None
            or known.text != text
        ]

    def disk_changed(self, name: str) -> bool:
        """Whether the file that defines a rule is not what was read from it."""
        file = self.file_of(name)
        if not file:
            return False
        path = Path(file).expanduser().resolve()
        known = self._read.get(str(path))
        return known is not None and _text_of(path) != known.text

    # -- changing ----

    def put(self, items: Sequence[Any]) -> None:
        """Add or replace items in memory."""
        rule_queries.put_items(self.rules, items)
        self.touch()

    def remove(self, name: str) -> None:
        """Take a rule out, in memory."""
        self.rules.remove("rule", name)
        self.touch()

    # -- saving ----

    def save_rule(
        self,
        rule: Rule,
        items: Sequence[Any],
        *,
        path: str = "",
        origin: str = "",
        choice: str = "",
        target: Any = None,
        force: bool = False,
    ) -> Path:
        """Write one rule, and the macros and lists it brings, into its file.

        ``path``: for a rule that no file holds. ``origin``: its name in the file.
        ``choice``: what to do about a changed file: "mine" or "merge". Raises
        FileChanged, RuleRefused, and OSError as saving does.
        """
        from workbench.rules import RuleSet, parse_rules

        held = self.file_of(origin or rule.name)
        if not held and not path.strip():
            raise WorkbenchError("choose a file for the new rule")
        goal = Path(held or path).expanduser().resolve()
        if not goal.suffix:
            goal = goal.with_suffix(".yaml")
        known = self._read.get(str(goal))
        disk = _text_of(goal)
        if disk is not None and (known is None or known.text != disk):
            name = origin or rule.name
            base = _only_rule(parse_rules(known.text), name) if known else None
            there = _only_rule(parse_rules(disk), name)
            if choice not in {"mine", "merge"}:
                raise FileChanged(goal, base, there, unread=known is None)
            if choice == "merge" and base is not None and there is not None:
                rule = merged(base, there, rule)
        text = disk
        if text is None:
            text = known.text if known and held else ""
        file = parse_rules(text, str(goal)) if text else RuleSet()
        if not text:
            head = rule_queries.header_for(target)
            file = parse_rules(head, str(goal)) if head else parse_rules("", str(goal))
        if origin and origin != rule.name and origin in file.rules.keys():  # noqa: SIM118
            file.remove("rule", origin)
        rule_queries.put_items(file, [*items, rule])
        if not force:
            self._refuse_broken(goal, file, rule, target)
        written = file.to_yaml()
        save_text(goal, written)
        self._read[str(goal)] = _Read(written)
        self._replace_file(goal, parse_rules(written, str(goal)))
        return goal

    def _refuse_broken(
        self, goal: Path, file: RuleSet, rule: Rule, target: Any
    ) -> None:
        """Raise RuleRefused when the engine would not load what is to be written."""
        from workbench.rules import RuleSet

        others = [
            f
            for f in self.rules._files  # noqa: SLF001 - beside it, as Falco loads them
            if Path(f.source.name).expanduser().resolve() != goal
        ]
        together = RuleSet([*others, *file._files])  # noqa: SLF001
        found = rule_queries.errors_about(together, target, str(goal), rule.name)
        if found:
            raise RuleRefused(found)

    def _replace_file(self, path: Path, fresh: RuleSet) -> None:
        from workbench.rules import RuleSet

        files = []
        placed = False
        for file in self.rules._files:  # noqa: SLF001 - the set is ours
            if Path(file.source.name).expanduser().resolve() == path:
                files += fresh._files  # noqa: SLF001
                placed = True
            else:
                files.append(file)
        if not placed:
            files += fresh._files  # noqa: SLF001
        self.rules = RuleSet(files)
        self.touch()

    def save_all(self, path: str = "") -> list[Path]:
        """Write every file that differs from what was read; return their paths.

        ``path``: where rules go that no file holds. Raises FileChanged for a file that
        is not what was read.
        """
        written = []
        for name in self.unsaved():
            nameless = name == _DRAFT_NAME and not Path(name).exists()
            goal = Path(path if nameless and path else name).expanduser().resolve()
            disk, known = _text_of(goal), self._read.get(str(goal))
            if disk is not None and (known is None or known.text != disk):
                raise FileChanged(goal, None, None, unread=known is None)
            text = self.rules.texts[name]
            save_text(goal, text)
            self._read[str(goal)] = _Read(text)
            written.append(goal)
        return written

    def disk_rule(self, name: str) -> Rule | None:
        """Return a rule as its file holds it now, and know the file as it is."""
        from workbench.rules import parse_rules

        file = self.file_of(name)
        if not file:
            return None
        path = Path(file).expanduser().resolve()
        text = _text_of(path)
        if text is None:
            return None
        fresh = parse_rules(text, str(path))
        self._read[str(path)] = _Read(text)
        self._replace_file(path, fresh)
        return _only_rule(fresh, name)


def merged(base: Rule, disk: Rule, mine: Rule) -> Rule:
    """Return the rule with both sides' changes.

    Raises WorkbenchError naming the keys that both changed differently.
    """
    changes: dict[str, Any] = {}
    both = []
    for item in fields(base):
        was, there, here = (getattr(r, item.name) for r in (base, disk, mine))
        if there in (here, was):
            continue
        if here == was:
            changes[item.name] = there
        else:
            both.append(item.name)
    if both:
        raise WorkbenchError(
            f"both sides changed {', '.join(both)}; keep yours or take the file's"
        )
    return replace(mine, **changes)
