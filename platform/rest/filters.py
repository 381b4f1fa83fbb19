"""What lists are filtered by: values that a database can compare, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from rest.pagination import YEARS


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # django-filter is not typed
    """Within the years that every database and time zone has. Without a zone it is UTC."""

    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(f"Name a year from {YEARS.start} to {YEARS.stop - 1}.", code="invalid")
        return moment if moment is None or timezone.is_aware(moment) else timezone.make_aware(moment)


class Moment(filters.IsoDateTimeFilter):  # type: ignore[misc]  # django-filter is not typed
    field_class = MomentField
