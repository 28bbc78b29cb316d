"""Pure codecs: wire formats to commands and back; no sockets, no clocks, no database."""
