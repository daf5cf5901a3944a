from __future__ import annotations

import workbench as wb


def test_two_text_columns_of_a_frame_compare(sample):
    with wb.load(sample("weblog")) as plugin:
        frame = plugin.capture(plugin.open_params[0].value, max_events=500).frame
    same = frame["weblog.path"] == frame["weblog.uri"]
    by_hand = [
        a == b for a, b in zip(frame["weblog.path"], frame["weblog.uri"], strict=True)
    ]
    assert same.tolist() == by_hand
    assert 0 < same.sum() < len(frame)
    assert not (frame["evt.source"] == frame["weblog.method"]).any()
