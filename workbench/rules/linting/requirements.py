"""Required plugins against the plugins that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.locations import RuleDiagnostic
from workbench.rules.model.versions import compatible, parse_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.rules.model.locations import Location
    from workbench.rules.model.model import PluginRequirement
    from workbench.rules.target.target import Target

__all__ = ["requirement_problems"]

CODE = "plugin-requirement"


def requirement_problems(
    requirements: Sequence[tuple[PluginRequirement, Location]], target: Target | None
) -> list[RuleDiagnostic]:
    """Check every requirement; the first alternative that is loaded decides.

    Nothing is said when the plugin versions of ``target`` are not known.
    """
    if target is None or not target.versions_known:
        return []
    problems = []
    for requirement, place in requirements:
        message, hint = _fault(requirement, target)
        if message:
            problems.append(RuleDiagnostic("error", CODE, message, place, hint))
    return problems


def _fault(requirement: PluginRequirement, target: Target) -> tuple[str, str]:
    for name, version in requirement.alternatives:
        present = target.plugin_versions.get(name)
        if present is None:
            continue
        have, need = parse_version(present), parse_version(version)
        if have and need and compatible(have, need):
            return "", ""
        message = (
            f"Plugin '{name}' version '{present}' is not compatible with required "
            f"plugin version '{version}'"
        )
        hint = f"load {name} {version} or newer with the same major version"
        if have and need and have[0] == need[0]:
            hint += f", or require {present}"
        return message, hint
    wanted = ", ".join(f"{n} (>= {v})" for n, v in requirement.alternatives)
    loaded = ", ".join(target.plugin_versions) or "none"
    return (
        f"Plugin requirement not satisfied, must load one of: {wanted}",
        f"loaded here: {loaded}",
    )
