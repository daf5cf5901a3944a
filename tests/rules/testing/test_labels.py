from __future__ import annotations

from workbench.rules import parse_rules


def test_labelled_events_become_a_file_that_passes(events, tmp_path):
    rules = parse_rules(
        "- rule: r\n  desc: d\n  condition: t.num < 3 or t.str contains break\n"
        "  output: o\n  priority: INFO\n  source: t\n"
    )
    wanted = events.mask("t.num < 3 or t.str contains break")
    events.label(wanted, must_match=True).label(~wanted, must_match=False)
    path = rules.write_tests(tmp_path / "labels.yaml", events)
    report = rules.test(path)
    assert len(report) == 6
    assert report.passed, str(report)
    stricter = parse_rules(rules.to_yaml().replace("< 3", "< 2"))
    assert [r.name for r in stricter.test(path).failures] == ["event 2 must match"]
