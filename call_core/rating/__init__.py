"""Rating: what a leg costs, and why; pure integer arithmetic over a rate deck."""
