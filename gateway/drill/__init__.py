"""Drills: several nodes and switches on this machine, something that dies, and what it cost."""
