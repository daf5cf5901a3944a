LINE = re.compile(rb'(\S{1,64}) .*" (\d{3}) ')


def counted_key(payload: bytes) -> str | None:
    """Return the client of a request that was refused; None for what does not count."""
    found = LINE.match(payload)
    if found and found[2] in (b"401", b"403", b"429"):
        return found[1].decode("ascii", "replace")
    return None
