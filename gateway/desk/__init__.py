"""The window behind `callgate desk`: a terminal for daily calling, over the JSON API."""
