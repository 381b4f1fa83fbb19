"""Coinbase Advanced."""
