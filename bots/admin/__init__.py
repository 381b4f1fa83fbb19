from bots.admin.records import BotEventAdmin, OrderAdmin, PositionAdmin, TradeAdmin
from bots.admin.spread_bot import SpreadBotAdmin

__all__ = ["BotEventAdmin", "OrderAdmin", "PositionAdmin", "SpreadBotAdmin", "TradeAdmin"]
