from __future__ import annotations

import workbench as wb
from artifact_registry import OURS, RULES


def test_a_plugin_is_fetched_and_loads_by_its_name(published, home, weblog):
    path = wb.get(published, insecure=True)
    assert path == home / "plugins" / "libweblog.so"
    assert path.read_bytes() == weblog.read_bytes()
    with wb.load("weblog") as plugin:
        assert plugin.path == str(path)
        log = weblog.parent / "data" / "access.log"
        assert len(plugin.capture(log, max_events=5)) == 5
