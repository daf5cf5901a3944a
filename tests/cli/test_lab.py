"""``workbench lab`` works on copies: the clone stays as it was."""

from __future__ import annotations

import pytest

from workbench.cli.lab import working_folder
from workbench.errors import WorkbenchError
from workbench.paths import notebooks_dir, sample_plugins_dir


@pytest.fixture
def own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def test_the_notebooks_of_a_clone_are_copied_into_the_users_folder(own):
    folder = working_folder(None)
    assert own in folder.parents
    assert notebooks_dir().parent not in folder.parents
    for path in notebooks_dir().glob("*.ipynb"):
        assert (folder / path.name).read_bytes() == path.read_bytes()
    sources = folder.parent / "sample_plugins"
    makefile = sample_plugins_dir() / "weblog" / "Makefile"
    copy = sources / "weblog" / "Makefile"
    assert copy.read_bytes() == makefile.read_bytes()
    assert copy.stat().st_mtime_ns == makefile.stat().st_mtime_ns
    assert not [p for p in sources.rglob("*") if p.name in {"_build", "target"}]


@pytest.mark.usefixtures("own")
def test_what_the_user_changed_stays():
    changed = working_folder(None) / "00_start_here.ipynb"
    changed.write_text("mine")
    assert working_folder(None) == changed.parent
    assert changed.read_text() == "mine"


def test_a_folder_of_ones_choice_takes_them_too(own, tmp_path):
    assert working_folder(str(tmp_path / "class")) == tmp_path / "class" / "notebooks"
    assert not own.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError, match="file"):
        working_folder(str(tmp_path / "file" / "class"))
