"""What is known of an archive before anything is read: files, fields, plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.archives.files import find_files
from workbench.archives.index import index_path, listed
from workbench.archives.loaded import close_loaded, plugins_of
from workbench.errors import WorkbenchError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import FieldTable
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from workbench.archives.files import ArchiveFile
    from workbench.archives.loaded import Plugins
    from workbench.fields.declarations import FieldInfo

__all__ = ["Catalog"]

# Columns that no file needs to have.
_MADE = BUILTIN_FIELDS.keys() | {"payload"}


class Catalog:
    """The files of an archive in order of time, the fields they have, their plugins."""

    def __init__(
        self,
        paths: tuple[str, ...],
        files: Iterable[ArchiveFile],
        *,
        plugins: Plugins,
        client: Any,
        storage_options: Mapping[str, Any] | None,
        collect: bool,
    ) -> None:
        """Sort ``files`` and gather what they and the plugins declare."""
        self.paths = paths
        self.files = sorted(files, key=lambda f: (f.first_ns or 0, f.path))
        self.plugins = plugins
        self.client = client
        self.storage_options = storage_options
        self.collect = collect
        self.plugin_versions: dict[str, str] = {}
        self.stateful = False
        self._by_source: dict[str, dict[str, FieldInfo]] = {}
        # of each source, what plugins can extract from stored events
        self._extracted: dict[str, FieldTable] = {}
        self._gather()
        self.sources = list(self._by_source)
        every: dict[str, FieldInfo] = {}
        for fields in self._by_source.values():
            for name, info in fields.items():
                every.setdefault(name, info)
        for facts in {id(f.facts): f.facts for f in self.files}.values():
            for name, info in facts.fields.items():
                every.setdefault(name, info)
        self.fields = FieldTable(every.values())

    def _gather(self) -> None:
        for facts in {id(f.facts): f.facts for f in reversed(self.files)}.values():
            for source in facts.sources or ():
                known = self._by_source.setdefault(source, {})
                for name, info in facts.fields.items():
                    known.setdefault(name, info)
            if facts.plugin and facts.plugin_version:
                self.plugin_versions.setdefault(facts.plugin, facts.plugin_version)
        if not self.plugins:
            return
        from workbench.events.extractor import extractor_of

        try:
            loaded = plugins_of(self.plugins)
            extractor = extractor_of(loaded)
            named = [m.event_source for p in loaded for m in p.manifests]
            for source in dict.fromkeys([*self._by_source, *filter(None, named)]):
                offered = extractor.fields_of(source)
                self._extracted[source] = offered
                known = self._by_source.setdefault(source, {})
                for name, info in offered.items():
                    known.setdefault(name, info)
                ask = getattr(extractor, "stateful", None)
                self.stateful |= bool(ask is not None and ask(source))
            self.plugin_versions |= getattr(extractor, "plugin_versions", {})
        finally:
            close_loaded()

    def again(self) -> Catalog:
        """Return the catalog of the files as they are now."""
        found = find_files(self.paths, self.storage_options)
        return Catalog(
            self.paths,
            listed(found, index_path(self.paths), self.storage_options),
            plugins=self.plugins,
            client=self.client,
            storage_options=self.storage_options,
            collect=self.collect,
        )

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable for events of ``source``."""
        return FieldTable(self._by_source.get(source, {}).values())

    def extracts(self, columns: Iterable[str]) -> bool:
        """Whether plugins have to extract one of ``columns`` for some file."""
        lacking = [n for n in columns if n not in _MADE]
        return any(
            self._extractable(file, name)
            for file in self.files
            for name in lacking
            if name not in file.facts.columns
        )

    @property
    def captured(self) -> list[str]:
        """The columns of fields that some file has, or plugins extract unasked."""
        held = (name for file in self.files for name in file.facts.columns)
        found = dict.fromkeys(n for n in held if n.partition("[")[0] in self.fields)
        if self.plugins:
            plain = (
                n for n, i in self.fields.items() if not (i.arg and i.arg.required)
            )
            found |= dict.fromkeys(plain)
        return list(found)

    def _extractable(self, file: ArchiveFile, column: str) -> bool:
        if file.groups is not None and "raw" not in file.facts.columns:
            return False
        name = column.partition("[")[0]
        sources = file.facts.sources or self._extracted.keys()
        return any(name in self._extracted.get(s, ()) for s in sources)

    def not_captured(self, columns: Iterable[str]) -> dict[str, list[str]]:
        """Return column → files whose source has that field, but which lack it."""
        found: dict[str, list[str]] = {}
        for column in columns:
            if column in _MADE:
                continue
            name = column.partition("[")[0]
            lacking = [
                file.path
                for file in self.files
                if not file.damage
                and column not in file.facts.columns
                and self._should_have(file, name)
                and not self._extractable(file, column)
            ]
            if lacking:
                found[column] = lacking
        return found

    def _should_have(self, file: ArchiveFile, name: str) -> bool:
        if name in file.facts.fields or not file.facts.sources:
            return True
        return any(name in self._by_source.get(s, ()) for s in file.facts.sources)

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise WorkbenchError for a column that no file has and no plugin extracts."""
        absent = [
            column
            for column in columns
            if column not in _MADE
            and not any(
                column in file.facts.columns or self._extractable(file, column)
                for file in self.files
            )
        ]
        if absent and any(not file.damage for file in self.files):
            names = ", ".join(printable(name, limit=80) for name in absent)
            raise WorkbenchError(
                f"{names}: not captured in any file of the archive; give the plugin "
                "that extracts it, with wb.archive(…, plugins=…), on the command line "
                "with --with PLUGIN (the files must keep the events themselves)"
            )

    def frame(self) -> pd.DataFrame:
        """Return one row per file."""
        import pandas as pd

        def moment(time: int | None) -> pd.Timestamp:
            return pd.NaT if time is None else pd.Timestamp(time, unit="ns", tz="UTC")

        files = self.files
        return pd.DataFrame(
            {
                "path": pd.Series([f.path for f in files], dtype="string"),
                "bytes": pd.Series([f.bytes for f in files], dtype="int64"),
                "rows": pd.Series([f.rows for f in files], dtype="Int64"),
                "first": pd.Series(
                    [moment(f.first_ns) for f in files], dtype="datetime64[ns, UTC]"
                ),
                "last": pd.Series(
                    [moment(f.last_ns) for f in files], dtype="datetime64[ns, UTC]"
                ),
                "sources": [
                    ", ".join(f.facts.sources) if f.facts.sources else "" for f in files
                ],
                "columns": [len(f.facts.columns) for f in files],
                "damage": pd.Series([f.damage for f in files], dtype="string"),
            }
        )
