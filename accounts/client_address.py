"""Where a request comes from, as far as that can be believed."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from rest_framework.throttling import BaseThrottle

IPV6_NETWORK_BITS = 64
"""A household or a server is given at least a /64, and can take any of its addresses."""


def client_network(request: Any) -> str:
    """The IPv4 address, or the IPv6 network of /64, of who sent ``request``; ``unknown`` where nothing tells.

    ``X-Forwarded-For`` is believed as far as ``NUM_PROXIES`` says. What a proxy of ours did not write as an address
    is not believed: then the proxy itself stands for its clients.
    """
    candidates = (BaseThrottle().get_ident(request), request.META.get("REMOTE_ADDR")) if request is not None else ()
    found = (_parse(candidate) for candidate in candidates if candidate)
    return next((_network(address) for address in found if address is not None), "unknown")


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port, in brackets, or with an IPv4 address inside IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    host_bits = 128 - IPV6_NETWORK_BITS
    return f"{IPv6Address(int(address) >> host_bits << host_bits)}/{IPV6_NETWORK_BITS}"
