def counted_key(payload: bytes) -> str | None:
    """Return the user of an event that read a secret; None for what does not count."""
    try:
        audit = json.loads(payload)
        target = audit.get("objectRef") or {}
        reads = audit.get("verb") in ("get", "list", "watch")
        if reads and target.get("resource") == "secrets":
            return str(audit["user"]["username"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # not an audit event, or one without a user
    return None
