from __future__ import annotations

import workbench as wb


def test_a_class_is_driven_in_the_kernel_without_a_library(ticker_py):
    namespace = {"__name__": "cell"}
    exec((ticker_py.parent / "ticker.py").read_text(), namespace)
    events = namespace["Ticker"].preview("4", config={"step": 5})
    with wb.load(ticker_py, config={"step": 5}) as plugin:
        built = plugin.capture("4")
    assert events.source == "ticker"
    for name in ("ticker.value", "ticker.text", "ticker.even", "ticker.digits"):
        assert events.table[name].to_pylist() == built.table[name].to_pylist()
    assert len(events.where("ticker.value > 5")) == 2
