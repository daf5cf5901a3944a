from __future__ import annotations


def test_fill_and_values_follow_the_data(lab_of, events_of):
    lab = lab_of(events_of(1000))
    frame = lab.events.frame
    found = lab.fields_panel.stats(["web.client", "web.status", "web.tags", "nope"])
    assert set(found) == {"web.client", "web.status", "web.tags"}
    assert found["web.client"]["fill"] == frame["web.client"].notna().mean()
    assert found["web.status"]["distinct"] == frame["web.status"].nunique()
    values = lab.fields_panel.values("web.method")
    counted = frame["web.method"].value_counts()
    assert {r["text"]: r["count"] for r in values["rows"]} == counted.to_dict()


def test_values_follow_the_filters(lab_of, events_of):
    lab = lab_of(events_of(1000))
    lab.table.part.receive(
        "chip", column="web.method", check="web.method = POST", value="POST"
    )
    lab.settle()
    frame = lab.events.frame
    found = lab.fields_panel.values("web.status")
    posts = frame[frame["web.method"] == "POST"]
    assert sum(r["count"] for r in found["rows"]) == len(posts)


def test_a_value_becomes_a_check_of_all_of_the_condition(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 or web.status = 500"
    first = lab.fields_panel.values("web.method")["rows"][0]["check"]
    lab.fields_panel.part.receive("check", field="web.method", index=0)
    lab.settle()
    assert lab.condition == f"(web.status = 404 or web.status = 500) and {first}"


def test_a_breakdown_counts_events_and_matches(lab_of, events_of):
    lab = lab_of(events_of(1000))
    lab.condition = "web.status = 404"
    found = lab.fields_panel.breakdown("web.method", "time")
    frame = lab.events.frame
    for row, series in zip(found["rows"], found["series"], strict=True):
        chosen = frame[frame["web.method"] == row["text"]]
        assert row["count"] == len(chosen) == sum(series)
        assert row["matches"] == int((chosen["web.status"] == 404).sum())
