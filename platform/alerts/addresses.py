"""Which network addresses a message may be sent to: pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Beyond what the standard library calls not global: NAT64's local prefix, a cloud's metadata service at a
# public number, and the whole block of protocol assignments, in which another cloud has its own.
_MORE = [ip_network(block) for block in ("64:ff9b:1::/48", "168.63.129.16/32", "192.0.0.0/24")]
_NAT64 = ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """False for loopback, private, link-local, shared (CGNAT), ULA, multicast and metadata addresses, also
    where IPv6 wraps one of those, and for what is no address at all."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = _unwrapped(address)
    return address.is_global and not address.is_multicast and not any(address in block for block in _MORE)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address to which an IPv6 address leads in the end."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
