from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("accounts/", include("people.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "config.outage.explain_outage"
