"""Coinstore spot."""
