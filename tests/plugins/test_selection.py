"""Fields as strangers' rules name them."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.fuzz.material import probe
from workbench.rules import parse_rules

# A byte that is no UTF-8, as reading a file of bytes gives it.
FIELD = "probe.arg['\udcff']"
RULE = f"""\
- rule: r
  desc: d
  condition: {FIELD} = x
  output: o
  priority: INFO
  source: probe
""".encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("isolation", ["process", "none"])
@pytest.mark.parametrize(
    "use",
    [
        lambda plugin: plugin.capture("n=5", fields=[FIELD]),
        lambda plugin: plugin.capture("n=5").extract(FIELD),
        lambda plugin: plugin.capture("n=5").where(f"{FIELD} = x"),
        lambda plugin: parse_rules(RULE).run(plugin.capture("n=5")),
    ],
    ids=["capture", "extract", "where", "rules"],
)
def test_an_argument_that_is_not_utf8_is_not_the_plugins_fault(use, isolation):
    with wb.load(probe(), isolation=isolation) as loaded:
        with pytest.raises(wb.WorkbenchError, match="is not UTF-8") as caught:
            use(loaded)
        assert not isinstance(caught.value, wb.PluginCrashed)
        # It goes on.
        assert len(loaded.capture("n=5")) == 5
