from exchanges.models.address import AddressBudget
from exchanges.models.balance import Balance, BalanceBaseline, BalanceSnapshot, UnexplainedChange
from exchanges.models.connection import ExchangeConnection, Mode
from exchanges.models.health import ConnectionHealth
from exchanges.models.market import Market
from exchanges.models.paper import PaperAccount, PaperBalance, PaperOrder, PaperTaken, PaperTape, PaperTrade

__all__ = [
    "AddressBudget",
    "Balance",
    "BalanceBaseline",
    "BalanceSnapshot",
    "ConnectionHealth",
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
