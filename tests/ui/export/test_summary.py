from __future__ import annotations


def test_the_static_summary_escapes_what_events_say(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path = "<script>alert(1)</script>"'
    data, _ = lab._repr_mimebundle_()
    assert "<script>" not in data["text/html"]
    assert "&lt;script&gt;" in data["text/html"]
    assert "1,000" in data["text/plain"]
