"""Tries a connection step by step, so that a person sees which part of it does not work, and why."""
