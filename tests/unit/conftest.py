"""Unit tests open no socket: whatever needs the network is an integration test."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Disable sockets in the tests below this folder, except where a test says why it needs one."""
    for item in items:
        if _HERE in item.path.parents and item.get_closest_marker("enable_socket") is None:
            item.add_marker(pytest.mark.disable_socket)
