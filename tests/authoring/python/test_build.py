from __future__ import annotations

import pytest

import workbench as wb
from workbench.authoring.python.build import build_library


def test_inspecting_starts_no_interpreter(ticker_py):
    manifest = wb.inspect(ticker_py)
    assert not manifest.complaints
    assert list(manifest.fields) == [
        *("ticker.value", "ticker.text", "ticker.even"),
        *("ticker.digits", "ticker.ip", "ticker.mod"),
    ]
    assert list(manifest.capabilities) == ["sourcing", "extraction"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "defines no subclass"),
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_at_all", "no_such_module_at_all"),
    ],
)
def test_a_source_that_is_no_plugin_is_refused_with_its_reason(tmp_path, source, said):
    path = tmp_path / "bad.py"
    path.write_text(source)
    with pytest.raises(wb.WorkbenchError, match=said):
        build_library(path, tmp_path / "libbad.so")
