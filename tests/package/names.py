"""What names there are in the package, read from its source without importing it."""

from __future__ import annotations

import ast
import functools
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "workbench"


@dataclass
class Scope:
    """A module or class: its members, what it imports, its base classes."""

    members: dict[str, Scope | None] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    bases: list[str] = field(default_factory=list)


def targets(node):
    """Names that an assignment binds, ``self.x`` as ``x``."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Tuple | ast.List):
        for item in node.elts:
            yield from targets(item)


def read_scope(body):
    scope = Scope()
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner = read_scope(node.body)
            inner.bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
            for method in node.body:
                for part in ast.walk(method):
                    if isinstance(part, ast.Assign | ast.AnnAssign):
                        goals = getattr(part, "targets", None) or [part.target]
                        for goal in goals:
                            if isinstance(goal, ast.Attribute):
                                inner.members.setdefault(goal.attr, None)
            scope.members[node.name] = inner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope.members[node.name] = None
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for goal in getattr(node, "targets", None) or [node.target]:
                for name in targets(goal):
                    scope.members[name] = None
        elif isinstance(node, ast.If | ast.Try):
            inner = read_scope([*node.body, *node.orelse])
            scope.members |= inner.members
    for top in body:
        for node in ast.walk(top):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    origin = f"{node.module}.{alias.name}"
                    scope.imports[alias.asname or alias.name] = origin
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    scope.imports[alias.asname or alias.name] = alias.name
    return scope


@functools.cache
def own_files() -> tuple[Path, ...]:
    """Python files of the package, those that become other projects left out."""
    return tuple(
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if not {"templates", "node_modules", "__pycache__"} & set(path.parts)
    )


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@functools.cache
def modules() -> dict[str, Scope]:
    found = {}
    for path in own_files():
        scope = read_scope(ast.parse(path.read_text("utf-8")).body)
        stub = path.with_suffix(".pyi")
        if stub.exists():
            # What a lazy package offers.
            scope.imports |= read_scope(ast.parse(stub.read_text("utf-8")).body).imports
        found[module_of(path)] = scope
    # Compiled, so that there is nothing to read.
    found["workbench.native._core"] = Scope({"ffi": None, "lib": None})
    return found


def is_known(dotted: str) -> bool:
    """Whether ``workbench.….name`` is a module, or a member of one."""
    known = modules()
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        module = ".".join(parts[:size])
        if module in known:
            return has_member(known[module], parts[size:], module)
        if (ROOT / module.replace(".", "/")).is_dir() and size == len(parts):
            return True
    return False


def has_member(scope: Scope | None, parts: list[str], module: str) -> bool:
    if not parts:
        return True
    if scope is None:
        # Members of values and functions are not read.
        return False
    name, rest = parts[0], parts[1:]
    if name in scope.members:
        return has_member(scope.members[name], rest, module)
    if f"{module}.{name}" in modules():
        return is_known(".".join([module, *parts]))
    origin = scope.imports.get(name)
    if origin is not None:
        if not origin.startswith("workbench"):
            return True
        return is_known(".".join([origin, *rest]))
    return any(
        is_known_in(module, [*base.split("."), *parts])
        for base in scope.bases
        if base.split(".")[-1] != parts[0]
    )


def is_known_in(module: str, parts: list[str]) -> bool:
    """Whether a name means something where ``module`` stands."""
    return has_member(modules()[module], parts, module)


@functools.cache
def everywhere() -> set[str]:
    """Every ``name`` and ``Class.name`` of any module, inherited ones included."""
    classes = {
        name: inner
        for scope in modules().values()
        for name, inner in scope.members.items()
        if inner is not None
    }

    def members(scope: Scope) -> set[str]:
        bases = [classes.get(base.split(".")[-1]) for base in scope.bases]
        known = [b for b in bases if b is not None and b is not scope]
        return set(scope.members).union(*map(members, known))

    found: set[str] = set()
    for scope in modules().values():
        for name, inner in scope.members.items():
            found.add(name)
            if inner is not None:
                found |= {f"{name}.{member}" for member in members(inner)}
    return found


@functools.cache
def tracked() -> tuple[str, ...]:
    """Files of the repository, relative to its root."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    names = done.stdout.splitlines()
    if not names:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    return tuple(name for name in names if (ROOT / name).exists())


def is_file(mention: str) -> bool:
    """Whether a file or folder of the repository is called so, from some folder on."""
    wanted = "/" + mention.removeprefix("./").rstrip("/")
    return any(
        f"/{name}".endswith(wanted) or f"{wanted}/" in f"/{name}" for name in tracked()
    )
