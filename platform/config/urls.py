from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from api import probes
from api.metrics import MetricsViewSet

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("accounts/", include("people.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("livez", probes.livez),
    path("readyz", probes.readyz),
    path("healthz", probes.healthz),
    path("metrics", MetricsViewSet.as_view({"get": "list"})),
]

handler404 = "config.outage.not_found"
handler500 = "config.outage.explain_outage"
