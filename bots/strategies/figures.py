"""Numbers as a person writes them."""

from __future__ import annotations

from decimal import Context, Decimal

_WIDE = Context(prec=76)


def plain(value: Decimal) -> str:
    """Without exponent and without trailing zeros: 1E+2 is "100", 0.500 is "0.5"."""
    return f"{value.normalize(_WIDE):f}" if value else "0"


def per_cent(fraction: Decimal) -> str:
    """0.2 is "20 %"."""
    return f"{plain(fraction * 100)} %"
