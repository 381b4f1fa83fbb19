"""Bugs that chaos must find, planted into the product's processes by PLANT=<name>; see apps.py."""
