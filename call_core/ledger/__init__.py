"""The ledger: accounts, two-phase transfers and what must always be true of them; pure."""
