from __future__ import annotations


def test_the_language_of_a_source_is_told_from_its_text():
    from workbench.authoring.cell_source import language_of_text

    cases = {
        'package main\nimport "C"': "go",
        "use falco_plugin::base::Plugin;": "rust",
        "#include <falcosecurity_plugin.h>\nclass p {": "cpp",
        '#include "falco_plugin.h"\nint x;': "c",
        "def fields():\n    return []": "python",
    }
    assert {text: language_of_text(text) for text in cases} == cases
