"""Pictures are drawn by matplotlib itself, without a display."""

from __future__ import annotations

import io
import subprocess
import sys

import pyarrow as pa
import pytest

import workbench as wb
from workbench.fields.declarations import FieldInfo

matplotlib = pytest.importorskip("matplotlib")
HOUR_NS = 3_600_000_000_000


@pytest.fixture(autouse=True)
def without_a_display():
    from matplotlib import pyplot as plt

    matplotlib.use("Agg")
    yield
    plt.close("all")


@pytest.fixture
def events():
    paths = [b"/a", b"/b", b"/a", None, b"$x$", b"/a\x1b[31m" + b"z" * 300] * 20
    return wb.events_from_table(
        pa.table(
            {
                "evt.rawtime": pa.array(
                    [1_700_000_000_000_000_000 + i * HOUR_NS for i in range(120)],
                    pa.uint64(),
                ),
                "w.path": pa.array(paths, pa.binary()),
                "w.status": pa.array([200, 404, 200] * 40, pa.uint64()),
            }
        ),
        fields=[FieldInfo("w.path", "string"), FieldInfo("w.status", "uint64")],
        source="w",
    )


def drawn(ax) -> bytes:
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    return file.getvalue()


def test_a_timeline_counts_every_event_once(events):
    ax = events.plot.timeline()
    assert sum(bar.get_height() for bar in ax.patches) == 120
    assert 8 <= len(ax.patches) <= 81
    assert drawn(ax).startswith(b"\x89PNG")


def test_a_timeline_by_a_field_stacks_its_values(events):
    ax = events.plot.timeline(by="w.status")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["200", "404"]
    assert sum(bar.get_height() for bar in ax.patches) == 120


def test_top_values_come_first_and_absent_ones_are_named(events):
    ax = events.plot.top("w.path")
    shown = [label.get_text() for label in ax.get_yticklabels()][::-1]
    assert shown[0] == "/a"
    assert "(absent)" in shown
    assert [bar.get_width() for bar in ax.patches][::-1] == [40, 20, 20, 20, 20]
    assert len(events.plot.top("w.path", n=2).patches) == 2


def test_values_are_no_markup_and_stay_short(events):
    ax = events.plot.top("w.path")
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert max(map(len, labels)) <= 60
    assert not any("\x1b" in label for label in labels)
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    assert drawn(ax)


def test_a_heatmap_counts_pairs(events):
    ax = events.plot.heatmap("w.path", "w.status")
    assert ax.images[0].get_array().sum() == 120
    assert ax.get_xlabel() == "w.status"
    assert drawn(ax)


def test_a_picture_goes_where_the_reader_wants_it(events):
    from matplotlib import pyplot as plt

    _, axes = plt.subplots(1, 3)
    assert events.plot.timeline(ax=axes[0]) is axes[0]
    assert events.plot.top("w.status", ax=axes[1]) is axes[1]
    assert events.plot.heatmap("w.status", "w.path", ax=axes[2]) is axes[2]


def test_nothing_to_draw_is_said(events):
    for draw in (
        events[:0].plot.timeline,
        lambda: events[:0].plot.heatmap("w.path", "w.status"),
    ):
        with pytest.raises(wb.WorkbenchError, match="no events"):
            draw()
    with pytest.raises(wb.WorkbenchError, match="not 0"):
        events.plot.top("w.path", n=0)
    with pytest.raises(wb.ConditionError, match=r"w\.none"):
        events.plot.top("w.none")


def test_without_matplotlib_one_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import workbench as wb, pyarrow as pa\n"
        "events = wb.events_from_table(pa.table({'a.b': ['x']}), source='a',"
        " fields=[wb.FieldInfo('a.b', 'string')])\n"
        "try: events.plot.top('a.b')\n"
        "except wb.WorkbenchError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "pip install" in done.stdout
