"""What a bot would do, as the API tells it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from bots.preview import Preview
from rest.fields import Money


class QuoteSerializer(serializers.Serializer[Any]):
    side = serializers.CharField()
    price = Money()
    amount = Money()
    level = serializers.CharField(help_text="Its place in the ladder: bid 1, ask 2, …")


class DecisionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    reference_price = Money(allow_null=True)
    quotes = QuoteSerializer(many=True)


class PreviewSerializer(serializers.Serializer[Preview]):
    sentence = serializers.CharField(help_text="What it rests on, or what is missing.")
    decision = DecisionSerializer(allow_null=True)
