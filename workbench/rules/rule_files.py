"""RuleFiles: rules files in loading order, held as text, edited and saved.

The text of the files is the truth: what is added or saved is text, and rules, macros
and lists are read from it. So comments, order and quoting stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from workbench.arguments import FLAG, PATH, TEXT, takes, wrong
from workbench.errors import RulesError, WorkbenchError
from workbench.formatting.printable import printable
from workbench.rules.editing.deploying import FORMS, deployed
from workbench.rules.editing.overlay import (
    Items,
    overlay_items,
    override_item,
    same_items,
)
from workbench.rules.editing.texts import appended, joined_files
from workbench.rules.kinds import ITEM, ITEM_OR_TEXT, KIND, OPTIONS
from workbench.rules.linting.ignored import without_ignored
from workbench.rules.loader import Loaded, load
from workbench.rules.loading.files import RulesFile, parse_file
from workbench.rules.model.diagnostic_list import DiagnosticList
from workbench.rules.model.items import ItemList
from workbench.rules.running.options import RunOptions
from workbench.rules.target.target import target_key, target_of
from workbench.saving import save_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.model import Macro, Rule, RuleList
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic

__all__ = ["LOCAL_NAME", "RuleFiles"]

# Diagnostics shown in the message of an error.
_MAX_SHOWN = 5
# Targets for which what was loaded is kept.
_MAX_LOADED = 8
# Name of the file that takes what is added, until it is saved.
LOCAL_NAME = "local_rules.yaml"


class RuleFiles:
    """Rules files in loading order. ``files``: names.

    Files that were loaded from disk are somebody else's: what is added goes to a local
    file behind them, and :meth:`save` writes only what changed since loading.
    """

    def __init__(
        self, files: Iterable[RulesFile] = (), *, from_disk: bool = False
    ) -> None:
        """Hold ``files``; made by :func:`load_rules` and :func:`parse_rules`."""
        self._files = list(files)
        # The files of others as they were loaded, at the same positions.
        self._originals = tuple(self._files) if from_disk else ()
        # Paths of the files that hold these rules, while they do.
        self._paths: tuple[str, ...] | None = tuple(self.files) if from_disk else None
        self._cache: dict[Any, Loaded] = {}

    # what it holds

    @property
    def files(self) -> list[str]:
        """Names of the files, in loading order."""
        return [file.source.name for file in self._files]

    @property
    def saved_paths(self) -> list[str]:
        """The files that hold these rules, in loading order.

        Raises WorkbenchError when there are none: rules were changed or added and not
        saved since.
        """
        if self._paths is None:
            raise WorkbenchError(
                "these rules are not in files: save them first, with rules.save(path)"
            )
        return list(self._paths)

    @property
    def texts(self) -> dict[str, str]:
        """File name → text."""
        return {
            file.source.name: file.source.data.decode("utf-8", "surrogateescape")
            for file in self._files
        }

    @property
    def rules(self) -> ItemList[Rule]:
        """The rules in definition order, as later items left them."""
        entries = self.loaded(None).collector.rules.values()
        ordered = sorted(entries, key=lambda e: e.index)
        return ItemList(
            e.value() for e in ordered if e.condition and e.output and self._chosen(e)
        )

    def _chosen(self, entry: RuleEntry) -> bool:  # noqa: ARG002 - for sub-classes
        """Whether a rule is one of the set."""
        return True

    @property
    def macros(self) -> ItemList[Macro]:
        """The macros in definition order."""
        entries = self.loaded(None).collector.macros.values()
        return ItemList(e.value() for e in sorted(entries, key=lambda e: e.index))

    @property
    def lists(self) -> ItemList[RuleList]:
        """The lists in definition order."""
        entries = self.loaded(None).collector.lists.values()
        return ItemList(e.value() for e in sorted(entries, key=lambda e: e.index))

    @takes(options=OPTIONS)
    def loaded(self, against: Any = None, options: RunOptions | None = None) -> Loaded:
        """Load the files against a target, as often as that or the options change."""
        options = options or RunOptions()
        target = target_of(against)
        if target is not None:
            target = options.extended(target)
        key = (target_key(target), options.level, options.additions)
        known = self._cache.get(key)
        if known is None:
            known = load(
                self._files,
                target,
                least_priority=options.level,
                additions=options.additions,
            )
            if len(self._cache) > _MAX_LOADED:
                self._cache.clear()
            self._cache[key] = known
        return known

    def _public(
        self, found: Iterable[RuleDiagnostic], ignore: Iterable[str] = ()
    ) -> DiagnosticList:
        """Return what users see; ``ignore``: codes of ours that are left out."""
        sources = {file.source.name: file.source for file in self._files}
        shown = without_ignored(found, self._files, frozenset(ignore))
        return DiagnosticList.of(shown, sources)

    def _refuse_broken(self, loaded: Loaded) -> None:
        if loaded.successful:
            return
        found = self._public(p for p in loaded.diagnostics if p.severity == "error")
        noun = "error" if len(found) == 1 else "errors"
        lines = [f"Falco would refuse these rules: {len(found)} {noun}"]
        lines += [f"  {item}" for item in found[:_MAX_SHOWN]]
        if len(found) > _MAX_SHOWN:
            lines.append(f"  … and {len(found) - _MAX_SHOWN} more; see .diagnostics")
        raise RulesError("\n".join(lines), diagnostics=found)

    # changing

    @takes(item=ITEM_OR_TEXT)
    def add(self, item: Rule | Macro | RuleList | str) -> Self:
        """Add a rule, macro, list or YAML text at the end. Returns this set.

        Behind files that were loaded it goes to a local file, and an item of a name
        that is there already overrides what differs. Elsewhere it goes to the last
        file and redefines its namesake.
        """
        if isinstance(item, str):
            text = item
        else:
            known = self._namesake(item) if self._originals else None
            text = item.to_yaml() if known is None else override_item(known, item)
        if text:
            self._append(text)
        return self

    def named_items(self) -> list[tuple[str, str]]:
        """Return kind ("rule" …) and name of every item that the files hold, in order.

        Items that change earlier ones are among them; one with two is named twice.
        """
        return [
            (key.text, value.text)
            for file in self._files
            for document in file.documents
            for item in document.items
            for key, value in item.pairs
            if key.text in ("rule", "macro", "list") and value.kind == "scalar"
        ]

    @takes(text=TEXT, instead_of=TEXT)
    def amend(self, text: str, *, instead_of: str = "") -> Self:
        """Add YAML text as :meth:`add` does. Returns this set.

        ``instead_of``: a text added before, whose place it takes if it is still there;
        an empty ``text`` takes it out.
        """
        if instead_of and len(self._files) > len(self._originals):
            last = self._files[-1].source
            before, old, behind = last.data.partition(_encoded(instead_of))
            if old:
                raw = last.mark + before + _encoded(text) + behind
                self._files[-1] = parse_file(raw, last.name)
                self._changed()
                return self
        if text:
            self._append(text)
        return self

    def _namesake(
        self, item: Rule | Macro | RuleList
    ) -> Rule | Macro | RuleList | None:
        """Return the item of that name as it is now."""
        return Items.of(self.loaded(None).collector).get(item)

    def _append(self, text: str) -> None:
        """Put items behind all others: in the local file, or the last one."""
        raw = text.encode("utf-8", "surrogateescape")
        if len(self._files) > len(self._originals):
            last = self._files[-1].source
            self._files[-1] = parse_file(appended(last, raw), last.name)
        else:
            name = LOCAL_NAME if self._originals else "rules.yaml"
            self._files.append(parse_file(raw, name))
        self._changed()

    def _changed(self) -> None:
        """Forget what was made from the files as they were."""
        self._cache.clear()
        self._paths = None

    @takes(item=ITEM)
    def replace(self, item: Rule | Macro | RuleList) -> Self:
        """Change an item where it stands; comments, order and quoting around it stay.

        Only keys whose values differ are rewritten; where later items override some of
        them, another one does. Raises KeyError when no such item is defined here.
        Returns this set.
        """
        from workbench.rules.editing.edit import replace_item

        for number, file in reversed(list(enumerate(self._files))):
            text = replace_item(file, item)
            if text is not None:
                if text != file.source.mark + file.source.data:
                    self._files[number] = parse_file(text, file.source.name)
                    self._changed()
                known = self._namesake(item)
                more = "" if known is None else override_item(known, item)
                if more:
                    self._append(more)
                return self
        raise KeyError(
            f"no {type(item).__name__.lower()} {item.name!r} is defined here"
        )

    @takes(kind=KIND, name=TEXT)
    def remove(self, kind: str, name: str) -> Self:
        """Take every item out that defines ``kind`` ("rule" …) ``name``."""
        from workbench.rules.editing.edit import remove_item

        found = False
        for number, file in enumerate(self._files):
            text = remove_item(file, kind, name)
            if text is not None:
                self._files[number] = parse_file(text, file.source.name)
                found = True
        if not found:
            raise KeyError(f"no {kind} {name!r} is defined here")
        self._changed()
        return self

    # keeping

    def to_yaml(self) -> str:
        """Return all files as one YAML text, as they are written."""
        raw = joined_files([file.source.data for file in self._files])
        return raw.decode("utf-8", "surrogateescape")

    def header(self, against: Any) -> str:
        """Return the requirement items that the rules lack, from what they really use.

        ``against``: the Plugin, Workbench or Events that they were made with.
        """
        from workbench.rules.linting.requirements import missing_header

        loaded = self.loaded(target_of(against))
        return missing_header(loaded.collector, loaded.compilation, against)

    @takes(path=PATH, whole=FLAG, force=FLAG, form=TEXT)
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        whole: bool = False,
        against: Any = None,
        force: bool = False,
        form: str = "rules",
    ) -> Path:
        """Write the rules to one file and return its path.

        Rules loaded from files: only what was added or changed since, to be loaded
        after those files (``path`` may be the last of several, which is then rewritten
        with the changes); a rule that was removed is switched off. ``whole``: all of
        it. Rules that were never in files: all of it, too.

        Raises RulesError for what Falco would not load; ``force`` writes it all the
        same. Raises WorkbenchError where the changes would overwrite a file that they
        build on. ``against``: as :meth:`RuleSet.check`; what the rules require of it is
        then written first, unless it is there already.

        ``form``: "rules" for a rules file; else what deploys all of them: "helm" for
        values of Falco's chart (``customRules``), "configmap" for a ConfigMap of
        Kubernetes named as ``path``, "falco" for a falco.yaml that loads the files of
        these rules and the plugins of the Workbench ``against``.
        """
        if form != "rules":
            return self._deploy(path, form, against, force=force)
        if not force:
            self._refuse_broken(self.loaded(target_of(against)))
        target = Path(path)
        kept = 0 if whole else self._kept(target)
        text = self._overlay(kept, target) if kept else self.to_yaml()
        saved = save_text(target, self._headed(text, against))
        before = [file.source.name for file in self._originals[:kept]]
        self._paths = (*before, str(saved))
        if kept and len(self._files) > len(self._originals):
            last = self._files[-1].source
            self._files[-1] = parse_file(last.mark + last.data, str(saved))
            self._cache.clear()
        return saved

    def _deploy(
        self,
        path: str | os.PathLike[str],
        form: str,
        against: Any,
        *,
        force: bool,
    ) -> Path:
        """Write what brings the rules to where Falco runs."""
        if form not in FORMS:
            raise wrong("RuleSet.save", "form", f"one of {', '.join(FORMS)}", form)
        given = Path(path).resolve()
        if any(Path(file.source.name).resolve() == given for file in self._originals):
            raise WorkbenchError(f"{path} holds these rules: give another name")
        if form == "falco":
            if not hasattr(against, "to_falco_yaml"):
                words = "the Workbench to load plugins of"
                raise wrong("RuleSet.save", "against", words, against)
            return save_text(path, against.to_falco_yaml(self))
        if not force:
            self._refuse_broken(self.loaded(target_of(against)))
        text = self._headed(self.to_yaml(), against)
        name = Path(self.files[-1]).name if self.files else LOCAL_NAME
        return save_text(path, deployed(form, text, path, name))

    def _headed(self, text: str, against: Any) -> str:
        """Return a text with what the rules require first."""
        head = "" if against is None else self.header(against)
        if not head:
            return text
        return f"{head}{'---' if text.startswith(('---', '%')) else ''}\n{text}"

    def _kept(self, target: Path) -> int:
        """Return how many loaded files stay as they are when ``target`` is written."""
        count = len(self._originals)
        given = target.resolve()
        for number, file in enumerate(self._originals):
            if Path(file.source.name).resolve() != given:
                continue
            if number == count - 1 and number:
                return number
            raise WorkbenchError(
                f"{target} was loaded, and changes to it would take its place: save "
                "them under another name, or all of the rules with whole=True"
            )
        return count

    def _overlay(self, kept: int, target: Path) -> str:
        """Return the text to load after the first ``kept`` files.

        Raises RulesError when loading both would not give the same rules.
        """
        originals, edited = self._originals[:kept], self._files[:kept]
        text = ""
        if any(a is not b for a, b in zip(originals, edited, strict=True)):
            text = overlay_items(_items(originals), _items(edited))
        raw = text.encode("utf-8", "surrogateescape")
        for file in self._files[kept:]:
            raw = _joined(raw, file.source.data)
        if kept == len(self._originals):
            raw = _title(originals).encode("utf-8", "surrogateescape") + raw
        both = [*originals, parse_file(raw, str(target))]
        if not same_items(_items(self._files), _items(both)):
            raise RulesError(
                f"the changes cannot be written as a file to load after "
                f"{originals[-1].source.name}; save all of the rules with whole=True"
            )
        return raw.decode("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _items(files: Sequence[RulesFile]) -> Items:
    return Items.of(load(files, None).collector)


def _joined(first: bytes, second: bytes) -> bytes:
    """Put items behind others."""
    if not first.strip() or second.startswith((b"---", b"%")):
        return joined_files([first, second])
    return (
        joined_files([first, b"---\n" + second])
        if second[:1] in b"[{"
        else (first.rstrip(b"\n") + b"\n\n" + second)
    )


def _title(originals: Sequence[RulesFile]) -> str:
    """Return the comment that says which files an overlay belongs to."""
    names = ", ".join(Path(file.source.name).name for file in originals)
    return f"# Changes to {printable(names, limit=200)}; load this file after.\n"
