from exchanges.models.balance import Balance
from exchanges.models.connection import ExchangeConnection, Mode
from exchanges.models.market import Market

__all__ = ["Balance", "ExchangeConnection", "Market", "Mode"]
