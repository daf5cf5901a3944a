"""Where plugins run: one worker process, or this process itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.session.interrupts import interruptible

if TYPE_CHECKING:
    from workbench.manifest import Manifest
    from workbench.session.interface import Session
    from workbench.session.sandbox import SandboxPlan

__all__ = ["inspect_library", "new_session"]


def new_session(
    isolation: str,
    *,
    call_timeout_sec: float | None = None,
    memory_limit_bytes: int | None = None,
    plan: SandboxPlan | None = None,
) -> Session:
    """Return a host without plugins. Limits: None for the documented defaults.

    ``plan``: what a worker process is to be bound to, None for nothing.
    """
    if isolation == "none":
        from workbench.session.local_session import LocalSession

        return LocalSession(call_timeout_sec=call_timeout_sec)
    from workbench.session.worker_session import WorkerSession

    return WorkerSession(
        call_timeout_sec=call_timeout_sec,
        memory_limit_bytes=memory_limit_bytes,
        plan=plan,
    )


def inspect_library(path: str, plan: SandboxPlan | None = None) -> Manifest:
    """Return what a library says of itself, complaints included, from a worker."""
    from workbench.session.worker_session import WorkerSession

    with interruptible():
        session = WorkerSession(plan=plan)
        try:
            return session.inspect(path)
        finally:
            session.close()
