"""What the boxes before a venue say: load balancers and firewalls, which know nothing about the request."""

from __future__ import annotations

import random

from tests.lab.wire import WireAnswer

_GATEWAYS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def gateway_page(chance: random.Random) -> WireAnswer:
    """Of a load balancer."""
    status = chance.choice(sorted(_GATEWAYS))
    return html_page(status, _GATEWAYS[status])


def firewall_page() -> WireAnswer:
    return html_page(403, "ERROR: The request could not be satisfied")


def html_page(status: int, title: str) -> WireAnswer:
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
    return WireAnswer(status=status, headers={"Content-Type": "text/html"}, body=page.encode())
