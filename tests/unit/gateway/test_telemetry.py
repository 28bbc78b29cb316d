"""When traces are made, and what belongs together. What a collector gets: tests/e2e/test_traces."""

import sys
from pathlib import Path

import pytest

from gateway.settings import FILE_NAME, Settings
from gateway.settings_file import SettingsError, load_settings
from gateway.telemetry import ids_of, tracing

pytestmark = pytest.mark.anyio


def load(folder: Path, text: str) -> Settings:
    """Return the settings of a text."""
    file = folder / FILE_NAME
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


ON = '[telemetry]\nendpoint = "http://127.0.0.1:4318"'


async def test_nothing_is_traced_unless_asked_for(tmp_path: Path) -> None:
    """Without an endpoint, and in a command line beside the service, there is no tracer."""
    async with tracing(load(tmp_path, ""), drive=True) as traces:
        assert traces is None
    async with tracing(load(tmp_path, ON), drive=False) as traces:
        assert traces is None


async def test_a_missing_extra_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is refused with what to do."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = load(tmp_path, ON)
    with pytest.raises(SettingsError, match=r"OpenTelemetry is not installed: install callgate"):
        async with tracing(settings, drive=True):
            pass


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://x", "http://a b"])
def test_an_endpoint_is_a_url(tmp_path: Path, endpoint: str) -> None:
    """What cannot be asked by HTTP is refused at the start."""
    with pytest.raises(SettingsError):
        load(tmp_path, f'[telemetry]\nendpoint = "{endpoint}"')


def test_a_request_has_the_same_ids_everywhere() -> None:
    """Another node, or the same after a restart, goes on with the same trace."""
    assert ids_of("req_1") == ids_of("req_1")
    assert ids_of("req_1") != ids_of("req_2")
    trace_id, span_id = ids_of("req_1")
    assert 0 < trace_id < 2**128
    assert 0 < span_id < 2**64
