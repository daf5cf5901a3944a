from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.yamlcpp.reading import PATIENT, read
from workbench.yamlcpp.emit import block, flow, scalar

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("'\"\\:#-?!&*%@`[]{},|>~ \t\n\r\0\x85\u2028\ufeff\x1bé"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@PATIENT
@given(HOSTILE)
def test_whatever_is_written_is_read_back(text):
    assert read(f"- {scalar(text)}\n- [{flow(text)}, x]\n") == [[text, [text, "x"]]]
    assert read(f"k: {block(text * 9, 3, '  ')}\nl: x\n") == [{"k": text * 9, "l": "x"}]
