"""What plugins say of their own end stands first in the error."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.authoring.builder import build_project
from workbench.authoring.scaffold import new_project
from workbench.session.last_words import last_words

THROWN = "terminate called after throwing an instance of 'std::runtime_error'"
PANICKED = "thread '<unnamed>' panicked at src/lib.rs:14:9:"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["hello", "panic: runtime error: index out of range [5] with length 3", ""]
            + ["goroutine 17 [running, locked to thread]:"] * 300,
            "panic: runtime error: index out of range [5] with length 3",
        ),
        (
            [
                THROWN,
                "  what():  the file is gone",
            ],
            f"{THROWN} what():  the file is gone",
        ),
        (
            [
                PANICKED,
                "called `Option::unwrap()` on a `None` value",
                "fatal runtime error: failed to initiate panic, error 5",
            ],
            f"{PANICKED} called `Option::unwrap()` on a `None` value",
        ),
        (
            ["lib.so: plugin.c:12: next: Assertion `n < 3' failed."],
            "lib.so: plugin.c:12: next: Assertion `n < 3' failed.",
        ),
        (["double free or corruption (out)"], "double free or corruption (out)"),
        (["free(): invalid pointer"], "free(): invalid pointer"),
        (
            ["*** stack smashing detected ***: terminated"],
            "*** stack smashing detected ***: terminated",
        ),
        (["nothing to panic: about", "an ignored line"], ""),
        (["panic: \x1b[31mred\n"], r"panic: \x1b[31mred"),
        (["panic: old", "ok", "panic: new"], "panic: new"),
    ],
)
def test_the_line_that_says_why_is_found(lines, words):
    assert last_words(lines) == words


def test_long_last_words_are_cut():
    assert len(last_words(["panic: " + "x" * 100_000])) == 300


@pytest.mark.crash
def test_an_assertion_that_fails_stands_first(plugin):
    with wb.load(plugin("probe")) as probe, pytest.raises(wb.PluginCrashed) as caught:
        probe.capture("n=5,fault=assert@next:0")
    first, second, *_ = str(caught.value).splitlines()
    assert 'Assertion `!"this was expected"\' failed.' in first
    assert second.startswith("plugin probe killed by SIGABRT in plugin_next_batch")


# language → tool, where the fault goes, the fault, what stands first
ENDS = {
    "cpp": (
        "cpp",
        "ss_plugin_rc stream::next(falcosecurity::plugin_event& evt) {",
        '[]() noexcept { throw std::runtime_error("the file is gone"); }();',
        f"{THROWN} what():  the file is gone",
    ),
    "go": (
        "go",
        "evts sdk.EventWriters) (int, error) {",
        'if evts.Len() > 0 { panic("the file is gone") }',
        "panic: the file is gone",
    ),
}


@pytest.mark.crash
@pytest.mark.parametrize("language", ENDS)
def test_what_a_runtime_says_stands_first(require, tmp_path, language):
    tool, place, fault, words = ENDS[language]
    require(tool)
    folder = tmp_path / "ender"
    new_project(folder, language=language)
    (source,) = [p for p in folder.glob("plugin.*") if p.suffix in (".cpp", ".go")]
    text = source.read_text()
    assert place in text
    source.write_text(text.replace(place, f"{place}\n\t{fault}"))
    library = build_project(folder).library
    with wb.load(library) as plugin, pytest.raises(wb.PluginCrashed) as caught:
        plugin.capture("5")
    first, second, *_ = str(caught.value).splitlines()
    assert first.startswith(words)
    assert second.startswith("plugin ender ")


def test_lines_that_a_plugin_skipped_are_counted(plugin):
    with wb.load(plugin("probe")) as probe:
        with probe.open("n=5,skips=3", fields=[]) as capture:
            list(capture)
        assert repr(capture) == (
            "<Capture of probe: 5 events, eof, 3 log lines say that data was skipped>"
        )
        with probe.open("n=5,skips=1", fields=[]) as capture:
            list(capture)
        assert "1 log line says" in repr(capture)
        with probe.open("n=5", fields=[]) as capture:
            list(capture)
        assert repr(capture) == "<Capture of probe: 5 events, eof>"
