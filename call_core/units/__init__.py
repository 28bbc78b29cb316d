"""Units of work: what one request, event or deadline changes, as plain functions on a Tx."""
