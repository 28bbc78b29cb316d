"""Calls as pure data: parties, legs, their tables, their timers, and what they cost."""
