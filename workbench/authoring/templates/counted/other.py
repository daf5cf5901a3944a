def counted_key(payload: bytes) -> str | None:
    """Return what an event is counted under; None for what does not count.

    Replace this: read the payload of @SOURCE@ here, and take a user or an address
    from it.
    """
    found = re.search(rb"\w+", payload[:1000])
    return found[0].decode("ascii", "replace") if found else None
