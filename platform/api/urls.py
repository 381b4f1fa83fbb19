"""Where each resource of the API is found."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from api.audit import AuditViewSet
from api.status import StatusViewSet
from bots import api as bots
from exchanges import api as exchanges

router = SimpleRouter()
for prefix, viewset in {
    "connections": exchanges.ConnectionViewSet,
    "health": exchanges.HealthViewSet,
    "balances": exchanges.BalanceViewSet,
    "balance-history": exchanges.SnapshotViewSet,
    "unexplained-changes": exchanges.UnexplainedViewSet,
    "markets": exchanges.MarketViewSet,
    "bots": bots.BotViewSet,
    "spread-bots": bots.SpreadBotViewSet,
    "scalper-bots": bots.ScalperBotViewSet,
    "orders": bots.OrderViewSet,
    "trades": bots.TradeViewSet,
    "round-trips": bots.RoundTripViewSet,
    "positions": bots.PositionViewSet,
    "events": bots.EventViewSet,
    "profit": bots.ProfitViewSet,
    "kill-switches": bots.KillSwitchViewSet,
    "audit": AuditViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)

app_name = "api"
urlpatterns = [
    path("v1/", include(router.urls)),
    path("system/status", StatusViewSet.as_view({"get": "retrieve"}), name="status"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]
