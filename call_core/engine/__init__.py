"""The only code that awaits: it drives switches, sends the outbox, keeps time, cleans up."""
