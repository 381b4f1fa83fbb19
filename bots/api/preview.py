"""What a bot would do, as the API tells it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from bots.previews.exits import ExitsPreview
from bots.previews.quotes import QuotesPreview
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


class PreviewSerializer(serializers.Serializer[QuotesPreview]):
    sentence = serializers.CharField(help_text="What it rests on, or what is missing.")
    decision = DecisionSerializer(allow_null=True)


class EntrySerializer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    side = serializers.CharField()
    entry = Money(help_text="The last known price.")
    amount = Money(help_text="Base.")
    fee = Money(help_text="Of each way: 0.001 is 0.1 %.")
    stop_loss = Money(allow_null=True, help_text="Price; null without a stop loss.")
    take_profit = Money(allow_null=True, help_text="Price; null without a take profit.")
    trailing_from = Money(
        allow_null=True, help_text="Price beyond which the trailing stop follows; null without one."
    )


class ExitsPreviewSerializer(serializers.Serializer[ExitsPreview]):
    sentence = serializers.CharField(help_text="What it rests on, or what is missing.")
    entries = EntrySerializer(many=True)
