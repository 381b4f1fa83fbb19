"""Bots, what they did and what stops them, over the API."""

from bots.api.bots import BotViewSet, ScalperBotViewSet, SpreadBotViewSet
from bots.api.kill_switches import KillSwitchViewSet
from bots.api.profit import ProfitViewSet
from bots.api.records import (
    EventViewSet,
    OrderViewSet,
    PositionViewSet,
    RoundTripViewSet,
    TradeViewSet,
)

__all__ = [
    "BotViewSet",
    "EventViewSet",
    "KillSwitchViewSet",
    "OrderViewSet",
    "PositionViewSet",
    "ProfitViewSet",
    "RoundTripViewSet",
    "ScalperBotViewSet",
    "SpreadBotViewSet",
    "TradeViewSet",
]
