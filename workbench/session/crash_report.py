"""Why a worker ended: the error pieced together after its death."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.wire.shared_page import SharedPage

__all__ = ["ExitFacts", "crash_error", "damage_error", "hang_error"]

_SHOWN_FRAMES = 12
_SHOWN_LOG_LINES = 8
_MOST_FRAMES = 64
_LONGEST_FRAME = 300
# Frames of our own handler, innermost, before the kernel's trampoline.
_HANDLER = "_core"
_PER_EVENT = ("plugin_extract_fields", "plugin_parse_event", "plugin_event_to_string")
_BETWEEN_EVENTS = (
    "plugin_next_batch",
    "plugin_next",
    "plugin_close",
    "plugin_get_progress",
    "",
)
# A fault this near to the stack's end is the stack's.
_NEAR_STACK_BYTES = 1 << 20
_LIKELY_CAUSES: dict[int, str] = {
    signal.SIGSEGV: "it used memory that is not its own",
    signal.SIGBUS: "it used memory that is not there",
    signal.SIGABRT: "it called abort(): a failed assertion, a C++ exception that "
    "nobody caught, a panic, or broken heap memory",
    signal.SIGFPE: "it divided by zero",
    signal.SIGILL: "it ran an instruction this machine does not have",
    signal.SIGSYS: "it made a system call of another architecture",
    signal.SIGKILL: "something ended it from outside: the kernel when memory runs out, "
    "or a person",
}


@dataclass(frozen=True, slots=True)
class ExitFacts:
    """What is known of a worker that ended: all that an error message needs.

    ``exit_code``: as of subprocess, negative for a signal. ``calls``: number → C name.
    ``plugins``: number → name or path. ``killed_for``: our own reason to kill, or "".
    ``last_words``: what the plugin said of its own end, or "".
    """

    shared_page: SharedPage
    exit_code: int
    calls: Sequence[str]
    plugins: dict[int, str]
    log_tail: list[str]
    crash_text: str
    killed_for: str = ""
    memory_limit: int = 0
    last_words: str = ""


def _call_name(calls: Sequence[str], call: int) -> str:
    return calls[call] if 0 < call < len(calls) else ""


def place(call: str, event: int) -> str:
    """Return where in the stream a call was, "" when no event was in work."""
    if event and call in _PER_EVENT:
        return f" at event #{event}"
    if event and call in _BETWEEN_EVENTS:
        return f" after event #{event}"
    return ""


def _backtrace(text: str, plugin: str) -> list[str]:
    """Return the frames, innermost first; the mapped copy gets the plugin's name."""
    frames = [line.strip() for line in text.splitlines() if line.strip()]
    if frames and _HANDLER in frames[0]:
        frames = frames[2:]
    name = os.path.basename(plugin)  # noqa: PTH119 - a text, not a file
    cleaned: list[str] = []
    for frame in frames:
        if _HANDLER in frame and cleaned:
            break  # from here on it is the workbench that called
        where = re.sub(r"\[0x[0-9a-f]+\]$", "", frame)
        where = re.sub(r"^/proc/self/fd/\d+", lambda _: name, where)
        where = re.sub(r"^/\S*/", "", where)
        if not cleaned or cleaned[-1] != where:
            cleaned.append(where[:_LONGEST_FRAME])
    return cleaned[:_MOST_FRAMES]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _cause(death: ExitFacts, number: int) -> str:
    _, caught, _, _, address, _, _ = death.shared_page.crash()
    stack = death.shared_page.stack_pointer()
    near = abs(address - stack) < _NEAR_STACK_BYTES
    if caught == signal.SIGSEGV and stack and near:
        return "its stack is used up: endless recursion, or very large local variables"
    return _LIKELY_CAUSES.get(number, "")


def _with_details(message: str, frames: list[str], tail: list[str]) -> str:
    if frames:
        message += "\n  backtrace: " + " <- ".join(frames[:_SHOWN_FRAMES])
    if tail:
        shown = "\n    ".join(tail[-_SHOWN_LOG_LINES:])
        message += f"\n  it wrote last:\n    {shown}"
    return message


def crash_error(death: ExitFacts) -> errors.PluginCrashed:
    """Return how the worker ended, in which call, and what it wrote last."""
    shared_page = death.shared_page
    crashed, number, _, crash_call, address, crash_event, foreign = shared_page.crash()
    call_number, plugin_index, _, _, event = shared_page.state()
    if crashed:
        call_number, event = crash_call, crash_event
        plugin_index = shared_page.crash_plugin()
    call = _call_name(death.calls, call_number)
    plugin = death.plugins.get(plugin_index, "")
    where = f" in {call}" if call else ""
    where += place(call, event)
    frames: list[str] = []
    exit_status: int | None = None
    signal_number: int | None = None
    if death.killed_for == "memory":
        reason = "memory"
        limit = death.memory_limit / (1 << 20)
        message = (
            f"plugin {plugin} used more than {limit:,.0f} MiB of memory{where}; its "
            "worker was ended (raise memory_limit_bytes if it needs more)"
        )
    elif death.exit_code < 0:
        reason = "signal"
        signal_number = -death.exit_code
        name = _signal_name(signal_number)
        message = f"plugin {plugin} killed by {name}{where}"
        if foreign and crashed:
            message += " on a thread of its own"
        if crashed and number in (signal.SIGSEGV, signal.SIGBUS):
            message += f" (fault address {address:#x})"
        cause = _cause(death, signal_number)
        if cause:
            message += f": {cause}"
        frames = _backtrace(death.crash_text, plugin)
    elif shared_page.lost():
        reason = "exit"
        exit_status = death.exit_code
        call = _call_name(death.calls, shared_page.lost())
        message = (
            f"plugin {plugin} closed file descriptors that its process needs (latest "
            f"call: {call}{place(call, event)}); nothing more can be read from it"
        )
    else:
        reason = "exit"
        exit_status = death.exit_code
        how = "exit" if shared_page.exited() else "_exit (or its runtime's exit)"
        message = (
            f"plugin {plugin} ended the process by calling {how} with status "
            f"{exit_status}{where}"
        )
    if death.last_words and reason != "memory":
        message = f"{death.last_words}\n{message}"
    return errors.PluginCrashed(
        _with_details(message, frames, death.log_tail),
        plugin=plugin,
        signal=signal_number,
        exit_status=exit_status,
        reason=reason,
        call=call or None,
        event_number=event or None,
        backtrace=frames,
        log_tail=death.log_tail,
    )


def hang_error(death: ExitFacts, limit_sec: float) -> errors.PluginHung:
    """Return which call did not return in time."""
    call_number, plugin_index, _, _, event = death.shared_page.state()
    call = _call_name(death.calls, call_number)
    plugin = death.plugins.get(plugin_index, "")
    what = f"plugin {plugin} hangs in {call}" if call else "the worker does not answer"
    message = (
        f"{what}{place(call, event)}: no return within {limit_sec:g} s; its worker was "
        "ended (call_timeout_sec sets the limit)"
    )
    return errors.PluginHung(
        _with_details(message, [], death.log_tail),
        plugin=plugin,
        call=call or None,
        event_number=event or None,
        limit_sec=limit_sec,
        log_tail=death.log_tail,
    )


def damage_error(death: ExitFacts, what: str) -> errors.PluginCrashed:
    """Return what the worker sent that it never sends by itself."""
    names = ", ".join(sorted(set(death.plugins.values())))[:_LONGEST_FRAME]
    said = what if len(what) <= _LONGEST_FRAME else what[:_LONGEST_FRAME] + "…"
    message = (
        f"plugin {names} sent invalid data through its worker, or wrote over what the "
        f"worker sends: {said}; the worker was ended, completed rows are kept"
    )
    return errors.PluginCrashed(
        _with_details(message, [], death.log_tail),
        plugin=names,
        reason="sent invalid data",
        log_tail=death.log_tail,
    )
