"""Archive: many capture files as one thing, asked as Events are."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from workbench.archives.catalog import Catalog
from workbench.archives.failures import Failure, require, tell_failures
from workbench.archives.files import find_files
from workbench.archives.index import index_path, listed
from workbench.archives.job import Job, View
from workbench.archives.loaded import specs_of
from workbench.archives.parts import parts_of
from workbench.archives.queries import ArchiveQueries
from workbench.archives.scheduling import run_job
from workbench.archives.times import moment_ns
from workbench.arguments import wrong
from workbench.formatting.printable import printable
from workbench.formatting.units import counted, moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import dask.dataframe as dd
    import pandas as pd

    from workbench.archives.alerts import ArchiveAlerts, ArchiveComparison
    from workbench.archives.job import Done, Task
    from workbench.archives.parts import Part
    from workbench.fields.declarations import FieldTable
    from workbench.rules.ruleset import RuleSet
    from workbench.rules.running.options import RunOptions

__all__ = ["Archive", "archive"]

_EVERYTHING = View()


class Archive(ArchiveQueries):
    """Capture files as one stream of events; made by :func:`archive`.

    Nothing is read before something is asked. Every selection gives a new Archive.
    """

    def __init__(self, catalog: Catalog, view: View = _EVERYTHING) -> None:
        """Look at the events of ``catalog`` that ``view`` lets through."""
        self._catalog = catalog
        self._view = view
        # what the latest run left out, see failures
        self._failures: tuple[Failure, ...] = ()
        self._rows: int | None = None
        self.watch: Callable[[Part], None] | None = None

    # what it is

    @property
    def files(self) -> pd.DataFrame:
        """One row per file: path, format, bytes, rows, first, last, sources, damage.

        In order of time. ``rows`` and times are NA where no footer tells (``.scap``).
        """
        return self._catalog.frame()

    @property
    def fields(self) -> FieldTable:
        """The fields that conditions on these events may name, besides ``evt.*``."""
        return self._catalog.fields

    @property
    def sources(self) -> list[str]:
        """The event sources of the files."""
        if self._view.source is not None:
            return [self._view.source]
        return self._catalog.sources

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable in rules of ``source``, without ``evt.*``."""
        return self._catalog.fields_of(source)

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins that made these events and fields, if known."""
        return dict(self._catalog.plugin_versions)

    @property
    def stateful(self) -> bool:
        """Whether plugins that extract fields keep state: each file stands alone."""
        return self._catalog.stateful

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Files that the latest run left out, with ``errors="collect"``."""
        return self._failures

    def __len__(self) -> int:
        """Count the events; files without a footer, or a condition, are read."""
        if self._rows is None:
            known = [file.rows for file in self._catalog.files]
            if self._view.whole and None not in known:
                self._rows = sum(n for n in known if n is not None)
            else:
                self._rows = self._count_events()
        return self._rows

    def __bool__(self) -> bool:
        """Whether there are files; events are not counted for it."""
        return bool(self._catalog.files)

    @property
    def catalog(self) -> Catalog:
        """What is known of the files before any is read."""
        return self._catalog

    # choosing

    def between(self, start: Any = None, end: Any = None) -> Archive:
        """Return the events from ``start`` on and before ``end``.

        Both: ns since the epoch, a text such as "2024-05-01 12:00" (UTC), or what
        pandas takes for a time; None: no bound. Files and row groups outside are not
        read.
        """
        return self._seen(self._view.narrowed(moment_ns(start), moment_ns(end)))

    def source(self, name: str) -> Archive:
        """Return the events of one event source."""
        return self._seen(replace(self._view, source=name))

    def refresh(self) -> Archive:
        """Return the same archive, its files listed anew."""
        return Archive(self._catalog.again(), self._view)

    def _seen(self, view: View) -> Self:
        return type(self)(self._catalog, view)

    # running

    def parts(self, *, whole: bool = False) -> list[Part]:
        """Return what jobs read; ``whole``: each file in one piece."""
        view = self._view
        return parts_of(
            self._catalog.files,
            start_ns=view.start_ns,
            end_ns=view.end_ns,
            source=view.source,
            whole=whole,
        )

    def run_task(self, task: Task, parts: list[Part] | None = None) -> list[Any]:
        """Do a task for every part and return the results in order of the parts.

        Raises WorkbenchError for a column that no file has, ArchiveError for the first
        file that fails; with ``errors="collect"`` such files are left out and named in
        :attr:`failures`.
        """
        catalog = self._catalog
        job = self._job(task)
        catalog.check_columns(job.columns or ())
        if parts is None:
            stateful = catalog.stateful and catalog.extracts(job.columns or ())
            parts = self.parts(whole=stateful)
        damaged = self._damaged()
        if damaged and not catalog.collect:
            raise damaged[0].error()
        bad = {f.path for f in damaged}
        done: list[Done] = run_job(
            job,
            [part for part in parts if part.path not in bad],
            client=catalog.client,
            watch=self.watch,
        )
        failed = [one.failure for one in done if one.failure is not None]
        self._failures = (*damaged, *failed)
        tell_failures(self._failures)
        return [one.value for one in done if one.failure is None]

    def ddf(self) -> dd.DataFrame:
        """Return the events as a Dask DataFrame, one partition per part of a file.

        Columns and dtypes are those of ``Events.frame``, for every field that some file
        has; only those that are used are read. Conditions, times and the source chosen
        before are applied while reading.
        """
        from workbench.archives.dask_frame import FrameOf, dask_frame

        names = self._catalog.captured
        return dask_frame(self._job(FrameOf(tuple(names))), names, self.parts())

    def _job(self, task: Task) -> Job:
        catalog = self._catalog
        return Job(
            task,
            self._view,
            catalog.fields,
            catalog.plugins,
            catalog.storage_options,
            catalog.collect,
        )

    def _damaged(self) -> list[Failure]:
        return [
            Failure(file.path, "CaptureFileError", f"cannot be read: {file.damage}")
            for file in self._catalog.files
            if file.damage
        ]

    def not_captured(self, columns: Iterable[str]) -> dict[str, list[str]]:
        """Return column → files that should have it and do not; it is absent there."""
        return self._catalog.not_captured(columns)

    def extracts(self, columns: Iterable[str]) -> bool:
        """Whether plugins have to extract one of ``columns`` for some file."""
        return self._catalog.extracts(columns)

    def run_rules(
        self,
        rules: RuleSet,
        *,
        all_matches: bool,
        options: RunOptions,
        alerts_per_rule: int | None = 1000,
    ) -> ArchiveAlerts:
        """Run rules; see ``RuleSet.run``."""
        from workbench.archives.rules import run_rules

        return run_rules(
            self,
            rules,
            all_matches=all_matches,
            options=options,
            alerts_per_rule=alerts_per_rule,
        )

    def compare_rules(
        self,
        old: RuleSet,
        new: RuleSet,
        *,
        all_matches: bool,
        alerts_per_rule: int | None = 1000,
    ) -> ArchiveComparison:
        """Compare two versions of rules; see ``RuleSet.compare``."""
        from workbench.archives.rules import compare_rules

        return compare_rules(
            self, old, new, all_matches=all_matches, alerts_per_rule=alerts_per_rule
        )

    # faces

    def _lines(self) -> list[str]:
        files = self._catalog.files
        known = [f.rows for f in files if f.rows is not None]
        size = sum(f.bytes for f in files)
        rows = counted(sum(known), "event")
        if len(known) < len(files):
            rows += f" and those of {len(files) - len(known)} files without a footer"
        lines = [f"{counted(len(files), 'file')}, {size:,} bytes, {rows}"]
        times = [f.first_ns for f in files if f.first_ns is not None]
        ends = [f.last_ns for f in files if f.last_ns is not None]
        if times:
            first = moment_text(min(times), trimmed=True)
            lines.append(f"{first} to {moment_text(max(ends), trimmed=True)}")
        names = ", ".join(printable(s, limit=60) for s in self.sources[:10])
        lines.append(f"sources: {names or 'unknown'}; {len(self.fields)} fields")
        if not self._view.whole:
            view = self._view
            told = [f"where {printable(c.ast, limit=200)}" for c in view.conditions]
            told += (
                ["a span of time"]
                if (view.start_ns, view.end_ns)
                != (
                    None,
                    None,
                )
                else []
            )
            lines.append(f"chosen: {'; '.join(told) or 'one source'}")
        damaged = sum(bool(f.damage) for f in files)
        if damaged:
            lines.append(f"{counted(damaged, 'file')} cannot be read, see .files")
        return lines

    def __repr__(self) -> str:
        """Count files, bytes and events, with time range and sources."""
        first, *rest = self._lines()
        return "\n".join([f"<Archive: {first}>", *(f"  {line}" for line in rest)])

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        head = "".join(html.tag("div", html.escape(line)) for line in self._lines())
        frame = self.files.head(20)
        rows = [["" if v is None else v for v in row] for row in frame.to_numpy()]
        return head + html.table(list(frame.columns), rows)


def archive(
    paths: Any,
    *,
    plugins: Any = (),
    client: Any = None,
    storage_options: Mapping[str, Any] | None = None,
    errors: str = "raise",
) -> Archive:
    """Return many capture files as one Archive; only footers are read.

    ``paths``: one or several files, folders, globs or URLs (``s3://…``) of ``.parquet``
    and ``.scap`` files. ``plugins``: for fields that files lack and whose events are
    kept: names or paths, loaded in each worker, or loaded plugins. ``client``: of
    dask.distributed; None runs on threads of this process. ``storage_options``: for
    fsspec. ``errors``: "raise" stops at the first file that fails, "collect" leaves it
    out, warns, and names it in ``.failures``.

    Raises WorkbenchError where a path names no files, or Dask is not installed
    (``pip install 'falco-plugin-workbench[cluster]'``).
    """
    require("dask", "fsspec", *(("distributed",) if client is not None else ()))
    if errors not in ("raise", "collect"):
        raise wrong("archive", "errors", '"raise" or "collect"', errors)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    texts = [os.fspath(path) for path in given]
    found = find_files(texts, storage_options)
    catalog = Catalog(
        tuple(texts),
        listed(found, index_path(texts), storage_options),
        plugins=specs_of(plugins),
        client=client,
        storage_options=storage_options,
        collect=errors == "collect",
    )
    return Archive(catalog)
