"""Who did what, for those who may see it."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from audit.models import AuditEntry
from exchanges.selectors import SEES_ALL
from rest.fields import RowSerializer
from rest.filters import Moment
from rest.pagination import ByCursor
from rest.views import DeskViewSet


class AuditSerializer(RowSerializer):
    actor = serializers.CharField(source="actor.username", allow_null=True, default=None, read_only=True)

    class Meta:
        model = AuditEntry
        fields = (
            "id", "at", "actor", "through", "action", "target_type", "target_id", "target_name", "before",
            "after",
        )  # fmt: skip


class AuditFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter is not typed
    actor = filters.CharFilter(field_name="actor__username", max_length=150)
    action = filters.CharFilter(max_length=60)
    target_type = filters.CharFilter(max_length=60)
    target_id = filters.CharFilter(max_length=60)
    after = Moment(field_name="at", lookup_expr="gte")
    before = Moment(field_name="at", lookup_expr="lt")


class AuditViewSet(ListModelMixin, RetrieveModelMixin, DeskViewSet):
    """Everything for those who see every connection; what they did themselves for others who may look."""

    queryset = AuditEntry.objects.select_related("actor")
    serializer_class = AuditSerializer
    filterset_class = AuditFilter
    pagination_class = ByCursor
    ordering = ("-at", "-id")
    reading_permission = "audit.view_auditentry"

    def get_queryset(self) -> QuerySet[AuditEntry]:
        rows: QuerySet[AuditEntry] = super().get_queryset()
        return rows if self.user.has_perm(SEES_ALL) else rows.filter(actor=self.user)
