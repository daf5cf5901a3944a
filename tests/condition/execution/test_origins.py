from __future__ import annotations

from workbench.condition.execution.origins import ListChange, WrittenText
from workbench.diagnostics import Span

WRITTEN = b"a in (one) and b in (two, one)"
MADE = b"a in ( x, y ) and b in ( z, x, y )"


def text_of():
    # "one" is replaced first wherever it stands, then "two".
    first = ListChange(6, 9, 6, 6, "one")
    second = ListChange(28, 32, 6, 29, "one")
    third = ListChange(24, 27, 3, 24, "two")
    made = WRITTEN
    for change, items in ((first, b" x, y "), (second, b" x, y "), (third, b" z ")):
        assert made[change.name_at : change.name_at + 3] == change.name.encode()
        made = made[: change.start] + items + made[change.end :]
    assert made == MADE.replace(b"( z, x", b"( z , x")
    return WrittenText(WRITTEN, (first, second, third)), made


def test_bytes_of_the_finished_text_lead_back_to_what_was_written():
    text, made = text_of()
    second = made.index(b"b in")
    assert text.text(Span(0, 13)) == "a in (one)"
    assert text.lists_in(Span(0, 13)) == ("one",)
    assert text.text(Span(second, len(made))) == "b in (two, one)"
    assert text.lists_in(Span(second, len(made))) == ("one", "two")
    at = made.index(b"y")
    assert text.text(Span(at, at + 1)) == "one"


def test_a_text_without_lists_stands_as_it_is():
    text = WrittenText(b"a = 1 and not (b = 2)", (), ((Span(5, 21), "known"),))
    assert text.span(Span(0, 5)) == Span(0, 5)
    assert text.lists_in(Span(0, 5)) == ()
    assert (text.exception_at(10), text.exception_at(2)) == ("known", "")
