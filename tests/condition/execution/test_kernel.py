"""The fast evaluator gives what the reference evaluator gives, whatever the layout."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.condition import kernel_cases as cases
from workbench.condition.execution.evaluate import Evaluation
from workbench.condition.execution.kernel import bool_array
from workbench.condition.execution.plan import build_plan
from workbench.condition.execution.reference import matches_row


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    trees=st.lists(cases.trees, min_size=1, max_size=3),
    rows=cases.rows(),
    layouts=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    split=st.integers(0, 3),
)
def test_random_conditions_on_random_tables_agree(trees, rows, layouts, split):
    table = cases.table_of(rows, layouts, split)
    found = Evaluation(build_plan(trees), table).words()
    for tree, words in zip(trees, found, strict=True):
        got = bool_array(words, table.num_rows).to_pylist()
        assert got == [matches_row(tree, row) for row in rows], tree
