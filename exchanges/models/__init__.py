from exchanges.models.balance import Balance, BalanceBaseline, BalanceSnapshot, UnexplainedChange
from exchanges.models.connection import ExchangeConnection, Mode
from exchanges.models.market import Market
from exchanges.models.paper import PaperAccount, PaperBalance, PaperOrder, PaperTaken, PaperTape, PaperTrade

__all__ = [
    "Balance",
    "BalanceBaseline",
    "BalanceSnapshot",
    "ExchangeConnection",
    "Market",
    "Mode",
    "PaperAccount",
    "PaperBalance",
    "PaperOrder",
    "PaperTaken",
    "PaperTape",
    "PaperTrade",
    "UnexplainedChange",
]
