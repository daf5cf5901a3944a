"""All findings: code → severity and the reason why it matters."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["CODES", "Code", "Severity"]

Severity = Literal["error", "warning", "note"]


class Code(NamedTuple):
    """``severity`` and ``reason`` of one kind of finding."""

    severity: Severity
    reason: str


CODES: dict[str, Code] = {
    # What the library says of itself.
    "LOAD": Code("error", "Falco refuses to load the library"),
    "API_OLD": Code("note", "current Falco loads only plugins of its own major API"),
    "FIELDS_NONE": Code("note", "newer Falco refuses extraction without any field"),
    "API_BEHIND": Code("note", "newer plugin APIs add capabilities and fix layouts"),
    "VERSION_FORM": Code("warning", "tools compare versions as x.y.z"),
    "DESCRIPTION_MISSING": Code("warning", "people choose plugins by it"),
    "CONTACT_MISSING": Code("warning", "users must know where to report defects"),
    "CONTACT_FORM": Code("note", "a contact that can be followed helps users"),
    "NAME_FORM": Code("note", "names are written in falco.yaml and in rules files"),
    "ID_TEST": Code("note", "999 is shared by all plugins under test"),
    "ID_TAKEN": Code("warning", "captures identify plugins by their ID alone"),
    "SOURCE_RESERVED": Code("error", "the name belongs to Falco itself"),
    "SOURCE_TAKEN": Code("warning", "rules of the other plugin would see these events"),
    "FIELD_NAME": Code("error", "conditions cannot contain such a name"),
    "FIELD_GENERIC": Code("error", "Falco refuses fields that overlap evt.*"),
    "FIELD_FAMILY": Code("warning", "the family belongs to Falco's system calls"),
    "FIELD_PREFIX": Code("note", "fields with one prefix are found together"),
    "FIELD_DESC": Code("note", "field lists show the description"),
    "ANY_SOURCE": Code("note", "extraction must cope with any bytes"),
    "SCHEMA_INVALID": Code("error", "no config can be checked against it"),
    "SCHEMA_DEFAULT": Code("warning", "a default that the schema refuses misleads"),
    "SCHEMA_UNDESCRIBED": Code("note", "the lab shows the description of an option"),
    # What it does when it runs.
    "INIT_FAILED": Code("error", "the plugin cannot be used as it comes"),
    "INIT_AS_FALCO": Code("error", "Falco ends at its start, whatever else it runs"),
    "INIT_NEEDS_CONFIG": Code("note", "an empty config is not enough"),
    "INIT_ACCEPTS_JUNK": Code("note", "a typo in the config goes unnoticed"),
    "NO_LAST_ERROR": Code(
        "warning", "a failure without a message cannot be understood"
    ),
    "OPEN_FAILED": Code("error", "a suggested open param does not open"),
    "OPEN_NONE": Code("note", "without suggestions users have to guess"),
    "NOT_STREAMED": Code("warning", "what needs events was not checked"),
    "STREAM_FAILED": Code("error", "the stream ended with a failure"),
    "CRASH": Code("error", "a crash takes Falco down"),
    "HANG": Code("error", "a call that never returns stops Falco"),
    "EXTRACT_FAILED": Code("warning", "Falco shows nothing when extraction fails"),
    "FIELD_EMPTY": Code("note", "the field had a value in no event"),
    "VALUE_REFUSED": Code("error", "the host had to drop what the plugin returned"),
    "NOT_REPEATABLE": Code("error", "the same event gave a different value"),
    "NOT_REPLAYABLE": Code("warning", "a replayed capture shows different values"),
    "NUMBER_CACHED": Code(
        "note", "an event that meets the number of another one shows its values"
    ),
    "NOT_UTF8": Code("note", "JSON output repairs such text"),
    "HOSTILE_CRASH": Code("error", "an attacker who writes events takes Falco down"),
    "HOSTILE_HANG": Code("error", "an attacker who writes events stops Falco"),
    "MEMORY_GROWS": Code("error", "memory grows with the events until it runs out"),
    "ROUNDS_FAILED": Code("error", "the plugin cannot be used a second time"),
    "ROUNDS_LEAK": Code("warning", "every round leaves memory behind"),
    "THREADS_BROKEN": Code(
        "error", "each event source runs in its own thread with its own state"
    ),
    "STDOUT": Code("warning", "Falco's alerts go to standard output"),
    "SLOW_CALL": Code("warning", "one slow call stalls all rules"),
    "SLOW_STOP": Code("warning", "Falco waits for next_batch before it can stop"),
    "CHECK_FAILED": Code("warning", "a check could not be carried out"),
}
