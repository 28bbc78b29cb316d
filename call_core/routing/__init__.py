"""Least-cost routing: which switch carries a call, and which trunk each leg."""
