"""Customers, users, phones: who may launch what, whom they may ring, and why not."""
