"""Wrong arguments: every public function says so itself, none breaks inside."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench import arguments
from workbench.condition import compile_condition, compile_conditions, complete
from workbench.rules import compile_output

CONDITION = "weblog.status >= 400"
WRONG = [
    -1,
    3.5,
    10**30,
    float("nan"),
    "\0",
    b"x",
    [1],
    [None],
    {1: 2},
    object(),
    Path("/"),
    pd.DataFrame({"a": [1]}),
    pd.Series([1]),
    np.zeros(3, bool),
    np.int64(3),
    int,
    print,
]


@pytest.fixture(scope="module")
def things(sample, tmp_path_factory):
    """Return what public methods hang on, and good values of required arguments."""
    folder = tmp_path_factory.mktemp("arguments")
    library = sample("weblog")
    log = str(library.parent / "data" / "access.log")
    bench = wb.Workbench()
    plugin = bench.load(library)
    events = plugin.capture(log, max_events=20)
    rule = wb.Rule(
        name="n", condition=CONDITION, output="o", priority="INFO", source="weblog"
    )
    good = {
        "params": log,
        "condition": CONDITION,
        "text": CONDITION,
        "texts": [CONDITION],
        "cursor": 3,
        "evt_num": 3,
        "row": 3,
        "events": events,
        "against": events,
        "table": events.table,
        "fields": events.fields,
        "name": "n",
        "output": "o",
        "priority": "INFO",
        "source": "weblog",
        "item": rule,
        "kind": "rule",
        "key": slice(0, 3),
        "mask": np.zeros(20, bool),
        "columns": ["weblog.status"],
        "config": None,
        "path": str(folder / "made.yaml"),
        "max_events": 3,
    }
    owners = {
        "wb": wb,
        "plugin": plugin,
        "bench": bench,
        "events": events,
        "rules": wb.RuleSet().add(rule),
    }
    yield owners, good
    bench.close()


TARGETS = [
    "wb.load",
    "wb.inspect",
    "wb.lab",
    "wb.load_rules",
    "wb.parse_rules",
    "wb.open_events",
    "wb.events_from_table",
    "wb.Rule",
    "wb.RuleSet",
    "wb.Workbench",
    "wb.Workbench.from_falco_yaml",
    *(f"plugin.{n}" for n in ("open", "capture", "fields_of", "__getitem__")),
    *(f"bench.{n}" for n in ("load", "open", "capture", "capture_all", "__getitem__")),
    *(
        f"events.{n}"
        for n in [
            "where",
            "mask",
            "explain",
            "places",
            "funnel",
            "near_misses",
            "label",
            "extract",
            "attach",
            "table_with",
            "fields_of",
            "to_pandas",
            "__getitem__",
        ]
    ),
    *(
        f"rules.{n}"
        for n in [
            "check",
            "run",
            "add",
            "replace",
            "remove",
            "verdicts",
            "header",
            "columns",
        ]
    ),
]
FUNCTIONS = {
    f.__name__: f
    for f in (compile_condition, compile_conditions, complete, compile_output)
}


def cases(function, good):
    """Yield calls with one wrong argument each: positional ones and named ones."""
    parameters = inspect.signature(function).parameters.values()
    required = [
        p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL
    ]
    base = {p.name: good[p.name] for p in required if p.name in good}
    if any(p.name == "max_events" for p in parameters):
        base["max_events"] = 3
    for parameter in parameters:
        for value in WRONG:
            if parameter.kind is parameter.VAR_POSITIONAL:
                yield (value,), {}
            elif parameter.kind is not parameter.VAR_KEYWORD:
                yield (), base | {parameter.name: value}


@pytest.mark.parametrize("name", [*TARGETS, *FUNCTIONS])
def test_wrong_arguments_never_break_inside(name, things, monkeypatch, tmp_path):
    owners, good = things
    monkeypatch.chdir(tmp_path)
    function = FUNCTIONS.get(name)
    if function is None:
        owner, *path = name.split(".")
        function = owners[owner]
        for part in path:
            function = getattr(function, part)
    refused = 0
    for args, kwargs in cases(function, good):
        try:
            made = function(*args, **kwargs)
        except wb.WorkbenchError:
            refused += 1
        except KeyError as error:
            # What is looked up by a good name and is not there.
            assert isinstance(error.args[0], str)  # noqa: PT017 - one of many calls
        else:
            if hasattr(made, "close") and made not in owners.values():
                made.close()
    assert refused > 10


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: wb.load(3), "load: path must be a path (a text or a Path), not 3"),
        (
            lambda: wb.load("x.so", memory_limit_bytes="1G"),
            (
                "load: memory_limit_bytes must be a whole number of bytes above 0 or None, "
                "not '1G'"
            ),
        ),
        (
            lambda: wb.load("x.so", isolation="thread"),
            'load: isolation must be "process" or "none", not \'thread\'',
        ),
        (
            lambda: wb.load("x.so", config=[1]),
            "load: config must be a dict, a text or None, not a list",
        ),
        (
            lambda: wb.parse_rules(Path("r.yaml")),
            "parse_rules: text must be a text or bytes, not a PosixPath",
        ),
        (
            lambda: compile_condition(None, {}),
            "compile_condition: text must be a condition (a text or bytes), not None",
        ),
    ],
)
def test_the_message_names_function_argument_and_value(call, said):
    with pytest.raises(wb.ArgumentError) as caught:
        call()
    assert str(caught.value) == said
    assert caught.value.argument
    assert isinstance(caught.value, TypeError)


def test_a_config_that_is_refused_is_not_shown(sample):
    with pytest.raises(wb.ArgumentError) as caught:
        wb.load(sample("weblog"), config="secret\0")
    assert "secret" not in str(caught.value)


def test_decorated_functions_keep_name_signature_and_documentation():
    @arguments.takes(a=arguments.TEXT, rest=arguments.TEXT, c=arguments.FLAG)
    def given(a: str, *rest: str, c: bool = False) -> str:
        """Return it."""
        return a + "".join(rest) + str(c)

    assert given.__name__ == "given"
    assert given.__doc__ == "Return it."
    assert (
        str(inspect.signature(given))
        == "(a: 'str', *rest: 'str', c: 'bool' = False) -> 'str'"
    )
    assert given("a", "b", c=True) == "abTrue"
    for call in (lambda: given(1), lambda: given("a", 2), lambda: given("a", c=3)):
        with pytest.raises(wb.ArgumentError):
            call()
