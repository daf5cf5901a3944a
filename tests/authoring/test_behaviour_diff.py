from __future__ import annotations

import json

from workbench.__main__ import main


def test_diff_compares_values_on_the_same_events(capsys, counter, tmp_path):
    from workbench.authoring.builder import build_project
    from workbench.authoring.scaffold import new_project

    folder = tmp_path / "counter"
    new_project(folder, language="c", contact="me@example.org")
    source = folder / "plugin.c"
    source.write_text(source.read_text().replace("value % 2 == 0", "value % 4 == 0"))
    other = build_project(folder).library
    status = main(["diff", str(counter), str(other), "--json", "--open", "50"])
    data = json.loads(capsys.readouterr().out)
    assert (status, data["needed"], data["declared"]) == (1, "major", "none")
    assert data["values"][0]["field"] == "counter.even"
    assert main(["diff", str(counter), str(counter), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["needed"] == "none"
