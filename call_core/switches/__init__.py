"""The switches that can carry calls: each implements `call_core.contracts.Switch`."""
