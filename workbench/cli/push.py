"""``workbench push``: rules files or a plugin into an OCI registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.options import (
    FINE,
    add_sandbox_options,
    note,
    sandbox_options,
)

if TYPE_CHECKING:
    import argparse

    from workbench.artifacts.layout import ArtifactConfig

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add(
        "name",
        metavar="HOST/REPOSITORY[:VERSION]",
        help="where it goes; a plugin's own version is the default",
    )
    add(
        "files",
        metavar="FILE",
        nargs="+",
        help="rules files (.yaml), or the builds of a plugin (.so), one per platform",
    )
    add(
        "--tag",
        metavar="T",
        action="append",
        default=[],
        help="put it under this tag, too, such as latest; may be repeated",
    )
    add(
        "--insecure",
        action="store_true",
        help="without TLS, for a registry on this machine",
    )
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Check what is pushed, push it, print its digest."""
    from workbench.artifacts.faults import ArtifactFault, artifact_error
    from workbench.artifacts.push import kind_of, push

    options = sandbox_options(args)
    name = args.name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    try:
        kind = kind_of([Path(path) for path in args.files])
    except ArtifactFault as fault:
        raise artifact_error(fault, args.name, doing="push") from None
    if kind.name == "plugin":
        config = _plugin_config(args.files, options)
    else:
        config = _rules_config(name, args.files)
    pushed = push(args.name, args.files, config, tags=args.tag, insecure=args.insecure)
    tags = ", ".join(pushed.tags)
    note(f"pushed {config.name} to {pushed.reference} (tags: {tags})")
    print(pushed.digest)
    return FINE


def _rules_config(name: str, files: list[str]) -> ArtifactConfig:
    """Return what rules files require. Raises RulesError for files that do not load."""
    from workbench.artifacts.layout import ArtifactConfig, Dependency, Requirement
    from workbench.errors import RulesError
    from workbench.rules.ruleset import load_rules

    rules = load_rules(*files)
    found = rules.check()
    if found.errors:
        lines = "\n".join(f"  {item}" for item in found.errors[:5])
        text = f"Falco would refuse these rules; nothing was pushed:\n{lines}"
        raise RulesError(text, diagnostics=found)
    collector = rules.loaded(None).collector
    needs = []
    for requirement, _ in collector.plugins:
        (main, version), *others = requirement.alternatives
        instead = tuple(Requirement(*other) for other in others)
        needs.append(Dependency(main, version, instead))
    engine = ".".join(map(str, collector.engine_version))
    return ArtifactConfig(
        name=name,
        dependencies=tuple(needs),
        requirements=(Requirement("engine_version_semver", engine),)
        if any(collector.engine_version)
        else (),
    )


def _plugin_config(libraries: list[str], options: dict[str, Any]) -> ArtifactConfig:
    """Return what the build for this machine says. Raises PluginLoadError."""
    from workbench.artifacts.faults import ArtifactFault, artifact_error
    from workbench.artifacts.layout import ArtifactConfig, Requirement, this_platform
    from workbench.artifacts.push import platform_of
    from workbench.plugins.plugin import inspect
    from workbench.saving import file_errors

    own = libraries[0]
    for path in libraries:
        with file_errors(path, "read"):
            try:
                if platform_of(Path(path)) == this_platform():
                    own = path
            except ArtifactFault as fault:
                raise artifact_error(fault, path, doing="push") from None
    manifest = inspect(own, **options)
    return ArtifactConfig(
        name=manifest.name,
        version=manifest.version,
        requirements=(
            Requirement("plugin_api_version", manifest.required_api_version),
        ),
    )
