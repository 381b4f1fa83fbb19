from exchanges.admin.balance import BalanceAdmin
from exchanges.admin.connection import ConnectionAdmin

__all__ = ["BalanceAdmin", "ConnectionAdmin"]
