"""YAML as rules files and falco.yaml have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.mutation import damaged, soup
from workbench.yamlcpp import SourceText, YamlError, load_documents, plain_json

if TYPE_CHECKING:
    from random import Random

WORDS = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        "a", "- ", "-\n", ": ", "?", "? ", ":\n", "\n", "\n  ", "\n    ", "\t", "{", "}", "[", "]", ",", ", ",
        "&x ", "*x", "<<: *x", "!t ", "!<t> ", "!!str ", "%YAML 1.2\n", "%TAG ! t:\n", "---\n", "...\n", "--- ",
        "'", "''", '"', '"\\x41"', '"\\u12"', '"\\UFFFFFFFF"', "|\n", "|-\n", ">+2\n", "|9\n", ">\n", "# c\n", "#",
        "key: value\n", "key: [1, 2]\n", "0x1F", "1e400", "9" * 400, "~", "true", "yes", "\ufeff", "\x85", "\u2028",
        "\0", "\x1b", "é", "\udcff", "x" * 70, " ", "@", "`", "\r\n", "\\", "\xa0",
    )
)  # fmt: skip
SEEDS = (
    b'- rule: r\n  desc: d\n  condition: >\n    a = 1\n    and b\n  output: "x"\n  priority: INFO\n',
    b"a: &x {b: [1, 2, {c: d}]}\ne: *x\nf:\n- g\n-\n  - h\n",
    b"%YAML 1.2\n--- !t\n? k\n: |2-\n    text\n     more\n...\n---\n'it''s': \"\\u00e9\\n\"\n",
    b"\xff\xfea\x00:\x00 \x00b\x00\n\x00",
)


def made_of(dice: Random, seeds: tuple[bytes, ...], words: tuple[bytes, ...]) -> bytes:
    """Return a soup of words, or a damaged seed."""
    if dice.randrange(2):
        return soup(dice, words, 30)
    return damaged(dice, dice.choice(seeds), words=words)


def make(dice: Random) -> bytes:
    return made_of(dice, SEEDS, WORDS)


def check(data: bytes) -> None:
    """It is read or refused at a place in the text, never anything else."""
    source = SourceText(data, "fuzz.yaml")
    try:
        documents = load_documents(source)
    except YamlError as error:
        assert str(error)
        return
    for root in documents:
        try:
            plain_json(root)
        except YamlError:
            continue
