"""Pages for browsers of a few lines and a thousand bytes; `wap` and `pda` show them."""
