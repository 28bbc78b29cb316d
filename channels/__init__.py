"""Ways in and out: one module or package per channel; no channel knows a sibling."""
