"""The cases by theme."""

from tests.spec.case import entered
from tests.spec.cases import account, cancels, lookups, markets, orders, reach, trades, trouble

THEMES = (reach, markets, account, orders, cancels, lookups, trades, trouble)
CASES = entered()
