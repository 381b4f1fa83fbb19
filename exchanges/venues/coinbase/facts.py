"""What an operator has to know of Coinbase Advanced."""

from __future__ import annotations

from exchanges.venues.facts import KEY_AND_SECRET, Venue

VENUE = Venue(id="coinbase", title="Coinbase Advanced", credential_fields=KEY_AND_SECRET)
