from __future__ import annotations

import os

import pytest

from workbench.rules import load_rules


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for path in (tmp_path / "none.yaml", tmp_path / "folder", fifo, "a\0b"):
        (found,) = load_rules(path).check()
        assert found.code == "LOAD_ERR_FILE_READ"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text("[]")
    path.chmod(0)
    assert [d.code for d in load_rules(path).check()] == ["LOAD_ERR_FILE_READ"]
