"""Durable state: tables, the store that runs units of work, and one module of units per subject."""
