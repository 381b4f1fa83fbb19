from bots.admin.kill_switch import KillSwitchAdmin
from bots.admin.records import BotEventAdmin, OrderAdmin, PositionAdmin, TradeAdmin
from bots.admin.round_trip import RoundTripAdmin
from bots.admin.scalper_bot import ScalperBotAdmin
from bots.admin.spread_bot import SpreadBotAdmin

__all__ = [
    "BotEventAdmin",
    "KillSwitchAdmin",
    "OrderAdmin",
    "PositionAdmin",
    "RoundTripAdmin",
    "ScalperBotAdmin",
    "SpreadBotAdmin",
    "TradeAdmin",
]
