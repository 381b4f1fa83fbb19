from bots.models.bot import Bot, BotState
from bots.models.decision import Decision
from bots.models.event import BotEvent, Severity
from bots.models.kill_switch import KillSwitch, Scope
from bots.models.kinds import KINDS, AnyBot
from bots.models.market_view import MarketView, PricePoint
from bots.models.order import Order
from bots.models.position import Position
from bots.models.round_trip import RoundTrip, TripState
from bots.models.runtime import Runtime
from bots.models.scalper_bot import DirectionChoice, Markets, OnScalperStop, ScalperBot
from bots.models.spread_bot import OnStop, Reference, SpreadBot
from bots.models.trade import Trade

__all__ = [
    "KINDS",
    "AnyBot",
    "Bot",
    "BotEvent",
    "BotState",
    "Decision",
    "DirectionChoice",
    "KillSwitch",
    "MarketView",
    "Markets",
    "OnScalperStop",
    "OnStop",
    "Order",
    "Position",
    "PricePoint",
    "Reference",
    "RoundTrip",
    "Runtime",
    "ScalperBot",
    "Scope",
    "Severity",
    "SpreadBot",
    "Trade",
    "TripState",
]
