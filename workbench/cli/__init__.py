"""The command line: one row per command, one module per row.

A command's module is ``workbench.cli.<name>`` and has ``add_arguments(parser)`` and
``run(args) -> int``. Data goes to stdout, everything else to stderr.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COMMANDS", "Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """A word after ``workbench``, and what it does in one line."""

    name: str
    summary: str

    @property
    def module(self) -> str:
        """The module that carries it out."""
        return f"workbench.cli.{self.name.replace('-', '_')}"


COMMANDS: tuple[Command, ...] = (
    Command("get", "fetch a plugin or rules file from an OCI registry"),
    Command("push", "put rules files or a plugin into an OCI registry"),
    Command("plugins", "list the plugins that are found by name, or remove one"),
    Command("inspect", "show everything that a plugin says about itself"),
    Command("stream", "print the events of a plugin, with their fields"),
    Command("record", "record the events of a plugin into capture files"),
    Command(
        "replay", "show stored events, or check that plugins extract the same again"
    ),
    Command("run", "run rules over a plugin's events or a saved capture"),
    Command("archive", "list, query and convert many capture files as one archive"),
    Command("validate", "list every complaint about rules files"),
    Command("import-sigma", "turn Sigma rules into Falco rules"),
    Command("test", "run rule tests, or mutate the rules to test the tests"),
    Command("coverage", "show which rules and checks decide anything on a capture"),
    Command("check", "check whether a plugin conforms to the plugin API"),
    Command("diff", "show what changed between two builds and the version it needs"),
    Command("new", "write a small, complete plugin project"),
    Command("build", "build a plugin project"),
    Command("lab", "open the notebooks in JupyterLab"),
)
