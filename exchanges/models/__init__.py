from exchanges.models.balance import Balance
from exchanges.models.connection import ExchangeConnection, Mode
from exchanges.models.market import Market
from exchanges.models.paper import PaperAccount, PaperBalance, PaperOrder, PaperTaken, PaperTape, PaperTrade

__all__ = [
    "Balance",
    "ExchangeConnection",
    "Market",
    "Mode",
    "PaperAccount",
    "PaperBalance",
    "PaperOrder",
    "PaperTaken",
    "PaperTape",
    "PaperTrade",
]
