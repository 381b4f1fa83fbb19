"""What people do to bots. Doors check permissions; each service is one transaction with its audit row."""

from bots.services.looking import look_at_market
from bots.services.settings import (
    FIELDS,
    clone_bot,
    create_scalper_bot,
    create_spread_bot,
    update_bot,
)
from bots.services.states import archive_bot, pause_bot, start_bot, stop_bot

__all__ = [
    "FIELDS",
    "archive_bot",
    "clone_bot",
    "create_scalper_bot",
    "create_spread_bot",
    "look_at_market",
    "pause_bot",
    "start_bot",
    "stop_bot",
    "update_bot",
]
