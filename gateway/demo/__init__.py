"""The demonstration: a whole service on this machine, one call by every channel, bills compared."""
