"""The parts of the first page, inside the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from console.desk import CHARTS, PARTS

urlpatterns = [
    path(f"{view.name}/", view.as_view(admin.site.has_permission), name=f"desk_{view.name}")
    for view in (*PARTS, *CHARTS)
]
