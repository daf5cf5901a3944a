"""``workbench validate``: every complaint about rules files, each at its place."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from workbench.cli.sandbox import add_sandbox_arguments, sandbox_options
from workbench.errors import PluginLoadError
from workbench.rules.target import Target

if TYPE_CHECKING:
    import argparse

    from workbench.manifest import Manifest

__all__ = ["add_arguments", "run"]

_FINE, _FAILED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add(
        "rules", metavar="RULES", nargs="+", help="rules files or directories, in order"
    )
    add(
        "-c",
        dest="falco_yaml",
        metavar="FALCO_YAML",
        help="check against the plugins that this file loads",
    )
    add(
        "--plugin",
        metavar="PATH",
        action="append",
        default=[],
        help="check against this plugin; may be repeated",
    )
    add("--plugin-dir", metavar="DIR", help="where relative library paths begin")
    add("--json", action="store_true", help="Falco's load results as JSON")
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from workbench.rules.ruleset import load_rules

    target = _target(args)
    rules = load_rules(*args.rules)
    loaded = rules.loaded(target)
    for unmet in loaded.requirements:
        print(f"workbench: {unmet.message}", file=sys.stderr)
    if args.json:
        # Names and values that are not UTF-8 must not break the output.
        text = json.dumps({"falco_load_results": rules.verdicts(target)})
        print(text)
    else:
        _report(rules, target)
    return _FINE if loaded.successful else _FAILED


def _report(rules: object, target: Target | None) -> None:
    from workbench.html import printable
    from workbench.rules.ruleset import RuleSet

    if not isinstance(rules, RuleSet):  # pragma: no cover - made by load_rules
        raise TypeError
    found = rules.check(target)
    broken = {d.file for d in found.errors}
    if target is None:
        print(
            "workbench: no plugin given (--plugin or -c): fields and sources are not "
            "checked",
            file=sys.stderr,
        )
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
    """Look at the plugins without initialising them: fields need no more."""
    from workbench.falco_config import read_falco_yaml
    from workbench.plugin import inspect
    from workbench.registration import check_registration, fields_of, known_sources

    paths = list(args.plugin)
    if args.falco_yaml:
        config = read_falco_yaml(args.falco_yaml, plugin_dir=args.plugin_dir)
        for note in config.notes:
            print(f"workbench: {note}", file=sys.stderr)
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
        check_registration(manifests, manifest)
        manifests.append(manifest)
    return Target(
        {name: fields_of(manifests, name)[0] for name in known_sources(manifests)},
        {m.name: m.version for m in manifests},
    )
