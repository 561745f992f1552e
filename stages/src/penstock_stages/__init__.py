"""Penstock's stage kit."""
