"""The running process: settings, logs, clocks, wiring, supervision and the command line."""
