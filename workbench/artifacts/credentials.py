"""Credentials for a registry, as docker keeps them: its config file and its helpers.

``docker login`` writes ``~/.docker/config.json`` (``DOCKER_CONFIG`` names another
folder). A helper named there for the registry is asked first, then the common one,
then what the file itself holds.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Credentials", "find_credentials"]

_MAX_BYTES: Final = 1 << 20
_HELPER_SEC: Final = 30
_HELPER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# A user of this name means that the secret is an identity token.
_TOKEN_USER: Final = "<token>"  # noqa: S105 - no secret
# Docker's own registry goes by several names.
_DOCKER_HUB: Final = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password, or a token that is exchanged for others."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of a Basic authorization."""
        pair = f"{self.user}:{self.password}".encode()
        return base64.b64encode(pair).decode("ascii")


def _config_path() -> Path:
    folder = os.environ.get("DOCKER_CONFIG") or "~/.docker"
    return Path(os.path.expanduser(folder)) / "config.json"  # noqa: PTH111


def _read_config(notes: list[str]) -> dict[str, Any]:
    path = _config_path()
    try:
        with path.open("rb") as stream:
            data = json.loads(stream.read(_MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        notes.append(f"{path} cannot be read ({error.strerror})")
        return {}
    except (ValueError, RecursionError):
        notes.append(f"{path} is not valid JSON")
        return {}
    return data if isinstance(data, dict) else {}


def _mapping(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _for_host(entries: dict[str, Any], host: str) -> tuple[str, Any]:
    """Return key and value of the entry for ``host``; keys may be whole addresses."""
    names = _DOCKER_HUB if host in _DOCKER_HUB else {host}
    if host in entries:
        return host, entries[host]
    for key, value in entries.items():
        bare = key.removeprefix("https://").removeprefix("http://")
        if bare.partition("/")[0] in names:
            return key, value
    return host, None


def _ask_helper(suffix: str, key: str, notes: list[str]) -> Credentials | None:
    """Ask ``docker-credential-SUFFIX`` for what it keeps under ``key``."""
    program = f"docker-credential-{suffix}"
    found = shutil.which(program) if _HELPER.fullmatch(suffix) else None
    if found is None:
        notes.append(f"the credential helper {program} is not installed")
        return None
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the user's config names it
            [found, "get"],
            input=key.encode(),
            capture_output=True,
            check=False,
            timeout=_HELPER_SEC,
        )
    except (OSError, subprocess.TimeoutExpired):
        notes.append(f"the credential helper {program} did not answer")
        return None
    if done.returncode:
        # also how it says that it has none
        said = (done.stdout or done.stderr).decode("utf-8", "replace").strip()
        notes.append(f"the credential helper {program} says: {said[:200]}")
        return None
    try:
        data = json.loads(done.stdout[:_MAX_BYTES])
        user, secret = data["Username"], data["Secret"]
    except (ValueError, TypeError, KeyError):
        user = secret = None
    if not isinstance(user, str) or not isinstance(secret, str):
        notes.append(f"the credential helper {program} gave no user and secret")
        return None
    if user == _TOKEN_USER:
        return Credentials(identity_token=secret)
    return Credentials(user, secret)


def _from_entry(entry: Any) -> Credentials | None:
    """Read an entry of ``auths``."""
    if not isinstance(entry, dict):
        return None
    token, packed = entry.get("identitytoken"), entry.get("auth")
    if isinstance(token, str) and token:
        return Credentials(identity_token=token)
    if isinstance(packed, str) and packed:
        with contextlib.suppress(ValueError):
            text = base64.b64decode(packed, validate=True).decode()
            user, colon, password = text.partition(":")
            if colon:
                return Credentials(user, password.rstrip("\0"))
    name, secret = entry.get("username"), entry.get("password")
    if isinstance(name, str) and isinstance(secret, str) and name:
        return Credentials(name, secret)
    return None


def find_credentials(host: str) -> tuple[Credentials | None, list[str]]:
    """Return the credentials for ``host``, and why there are none where some should be.

    ``host``: as in references, with its port. The reasons matter only when the registry
    then refuses.
    """
    notes: list[str] = []
    config = _read_config(notes)
    key, own = _for_host(_mapping(config, "credHelpers"), host)
    common = config.get("credsStore")
    entry_key, entry = _for_host(_mapping(config, "auths"), host)
    helpers: tuple[tuple[Any, str], ...] = ((own, key), (common, entry_key))
    for suffix, name in helpers:
        if isinstance(suffix, str) and suffix:
            found = _ask_helper(suffix, name, notes)
            if found is not None:
                return found, []
    return _from_entry(entry), notes
