"""How much memory there is: of the machine, and of control groups of both versions."""

from __future__ import annotations

import pytest

from workbench import memory

MIB = 1 << 20


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give a function that writes files of a machine with 8 GiB available."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    monkeypatch.setattr(memory, "_PROC", proc)
    monkeypatch.setattr(memory, "_CGROUPS", groups)

    def write(files):
        files = {"proc/meminfo": "MemTotal: 1 kB\nMemAvailable: 8388608 kB\n", **files}
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return memory.available_memory()

    return write


def group2(folder, limit, usage, cache=0):
    return {
        f"cgroup/{folder}/memory.max": f"{limit}\n",
        f"cgroup/{folder}/memory.current": f"{usage}\n",
        f"cgroup/{folder}/memory.stat": f"anon 5\ninactive_file {cache}\nfile 9\n",
    }


def group1(folder, limit, usage, cache=0):
    root = f"cgroup/memory/{folder}"
    return {
        f"{root}/memory.limit_in_bytes": f"{limit}\n",
        f"{root}/memory.usage_in_bytes": f"{usage}\n",
        f"{root}/memory.stat": f"inactive_file 1\ntotal_inactive_file {cache}\n",
    }


def test_the_machine_alone(machine):
    assert machine({}) == 8 << 30
    assert memory.half_of_memory() == 4 << 30


def test_a_machine_that_does_not_tell(machine):
    assert machine({"proc/meminfo": "nothing\n"}) == 8 << 30
    assert machine({"proc/meminfo": "MemAvailable: much kB\n"}) == 8 << 30


def test_version_2(machine):
    files = group2("app", 512 * MIB, 200 * MIB, cache=50 * MIB)
    assert machine({"proc/self/cgroup": "0::/app\n", **files}) == 362 * MIB


def test_version_2_takes_the_narrowest_group_above(machine):
    files = {
        **group2("outer", 300 * MIB, 100 * MIB),
        **group2("outer/inner", "max", 90 * MIB),
        **group2("outer/inner/own", 900 * MIB, 80 * MIB),
    }
    told = machine({"proc/self/cgroup": "0::/outer/inner/own\n", **files})
    assert told == 200 * MIB


def test_version_2_without_a_limit(machine):
    files = group2("app", "max", 200 * MIB)
    assert machine({"proc/self/cgroup": "0::/app\n", **files}) == 8 << 30


def test_version_2_inside_a_container(machine):
    # The path is that of the outside; what is mounted here is the container's own.
    files = group2("", 256 * MIB, 56 * MIB)
    assert machine({"proc/self/cgroup": "0::/docker/abc\n", **files}) == 200 * MIB
    assert machine({"proc/self/cgroup": "0::/../other\n", **files}) == 200 * MIB


def test_version_1(machine):
    files = group1("app", 512 * MIB, 200 * MIB, cache=50 * MIB)
    lines = "5:cpu,cpuacct:/elsewhere\n4:memory:/app\n1:name=systemd:/x\n"
    assert machine({"proc/self/cgroup": lines, **files}) == 362 * MIB


def test_version_1_without_a_limit(machine):
    files = group1("", 9223372036854771712, 200 * MIB)
    assert machine({"proc/self/cgroup": "4:memory:/\n", **files}) == 8 << 30


def test_both_versions_beside_each_other(machine):
    lines = "4:memory:/app\n0::/app\n"
    files = {
        **group1("app", 512 * MIB, 100 * MIB),
        **group2("app", 300 * MIB, 100 * MIB),
    }
    assert machine({"proc/self/cgroup": lines, **files}) == 200 * MIB


def test_a_group_that_is_full_leaves_nothing(machine):
    files = group2("app", 100 * MIB, 120 * MIB)
    assert machine({"proc/self/cgroup": "0::/app\n", **files}) == 0
    assert memory.half_of_memory() == 64 * MIB


@pytest.mark.parametrize(
    "damage",
    [
        {"cgroup/app/memory.max": "lots"},
        {"cgroup/app/memory.current": ""},
        {"cgroup/app/memory.max": "-"},
    ],
)
def test_files_that_make_no_sense_are_no_limit(machine, damage):
    files = {**group2("app", 100 * MIB, 1), **damage}
    assert machine({"proc/self/cgroup": "0::/app\n", **files}) == 8 << 30


def test_lines_that_make_no_sense(machine):
    lines = "\n:::\nmemory\n0:\n7:memory\n"
    assert machine({"proc/self/cgroup": lines}) == 8 << 30
