"""``workbench validate``: every complaint about rules files, with its location."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_options,
    add_sandbox_options,
    note,
    sandbox_options,
)
from workbench.errors import PluginLoadError
from workbench.rules.target.target import Target

if TYPE_CHECKING:
    import argparse

    from workbench.manifest import Manifest
    from workbench.rules.ruleset import RuleSet

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_option(parser, "rules")
    add_option(parser, "-c", help="check against the plugins that this file loads")
    add_options(parser, "--plugin", "--plugin-dir")
    add_option(parser, "--json", help="print Falco's load results as JSON")
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="CODE",
        help="leave out a warning beyond Falco, such as empty-set; may be repeated (in "
        "a rules file: # workbench: ignore[CODE])",
    )
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Load and check the rules; 1 when a file would not load."""
    from workbench.rules.ruleset import load_rules

    target = _target(args)
    rules = load_rules(*args.rules)
    loaded = rules.loaded(target)
    for unmet in loaded.requirements:
        note(unmet.message)
    if args.json:
        # Names and values that are not UTF-8 must not break the output.
        text = json.dumps({"falco_load_results": rules.verdicts(target)})
        print(text)
    else:
        _print_complaints(rules, target, args.ignore)
    return FINE if loaded.successful else FAILED


def _print_complaints(rules: RuleSet, target: Target | None, ignore: list[str]) -> None:
    from workbench.formatting.printable import printable

    found = rules.check(target, ignore=ignore)
    broken = {d.file for d in found.errors}
    if target is None:
        note("no plugin given (--plugin or -c): fields and sources are not checked")
    for result in rules.loaded(target).results:
        verdict = "Ok"
        if not result.successful or result.name in broken:
            verdict = "Invalid"
        elif result.warnings:
            verdict = "Ok, with warnings"
        print(f"{printable(result.name)}: {verdict}")
        for warning in result.schema or ():
            print(f"  schema: {printable(warning)}")
    for item in found:
        print()
        print(printable(str(item)))
        for line in found.snippet(item):
            print("    " + line)
    errors, others = len(found.errors), len(found) - len(found.errors)
    if found:
        nouns = [
            f"{errors} error{'' if errors == 1 else 's'}",
            f"{others} warning{'' if others == 1 else 's'} and hints",
        ]
        print(f"\n{', '.join(nouns)}")


def _target(args: argparse.Namespace) -> Target | None:
    """Inspect the plugins without initialising them: their fields need no more."""
    from workbench.falco_config import read_falco_yaml
    from workbench.plugins.compatibility import (
        check_registration,
        fields_of,
        known_sources,
    )
    from workbench.plugins.plugin import inspect

    paths = list(args.plugin)
    if args.falco_yaml:
        config = read_falco_yaml(args.falco_yaml, plugin_dir=args.plugin_dir)
        for text in config.notes:
            note(text)
        paths += [entry.library_path for entry in config.plugins]
    elif not paths:
        return None
    manifests: list[Manifest] = []
    for path in paths:
        manifest = inspect(path, **sandbox_options(args))
        if manifest.complaints:
            raise PluginLoadError(
                f"cannot load plugin {path}: {'; '.join(manifest.complaints)}",
                path=path,
                complaints=list(manifest.complaints),
            )
        if manifest.falco_refusal:
            note(f"{manifest.name}: {manifest.falco_refusal}")
        check_registration(manifests, manifest)
        manifests.append(manifest)
    return Target(
        {name: fields_of(manifests, name)[0] for name in known_sources(manifests)},
        {m.name: m.version for m in manifests},
    )
