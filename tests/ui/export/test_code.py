from __future__ import annotations


def test_shown_code_runs_and_gives_the_same_matches(lab_of, events_of):
    events = events_of()
    lab = lab_of(events)
    lab.condition = 'web.path contains "passwd" and\nweb.status = 404'
    code = lab.code.replace('wb.open_events("events.parquet")', "given")
    space = {"given": events, "print": lambda *_: None}
    exec(compile("\n".join(code.splitlines()[:-1]), "cell", "exec"), space)
    assert len(space["matches"]) == len(lab.matches) > 0
