"""Networks that hold addresses: by the bits that they have in common."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["common_networks"]

# Lengths that people write.
_LENGTHS = {4: (8, 12, 16, 20, 24, 28, 32), 16: (16, 32, 48, 56, 64, 128)}


def common_networks(addresses: Sequence[bytes]) -> Iterator[tuple[str, float]]:
    """Yield networks that hold all ``addresses``, smallest first, with their bits.

    Nothing for addresses of both families, or of none.
    """
    size = len(addresses[0])
    if size not in _LENGTHS or any(len(address) != size for address in addresses):
        return
    numbers = [int.from_bytes(address) for address in addresses]
    differing = max(number ^ numbers[0] for number in numbers).bit_length()
    shared = size * 8 - differing
    for length in reversed(_LENGTHS[size]):
        if length <= shared:
            network = ipaddress.ip_network((addresses[0], length), strict=False)
            yield str(network), float(length) / 2
