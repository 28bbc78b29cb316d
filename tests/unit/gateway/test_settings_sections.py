"""The gateway's own sections."""

import dataclasses

import pytest
from pydantic import ValidationError

from call_core.customers.limits import DEFAULT_LIMITS, Limits
from gateway.settings_sections import PhoneSettings, SimulatorSettings, limits_of, limits_section


def test_the_limits_section_follows_the_limits() -> None:
    """Every limit has a key of its name, money without its unit; defaults are the core's."""
    names = set(limits_section().model_fields)
    expected = {field.name.removesuffix("_micros") for field in dataclasses.fields(Limits)}
    assert names == expected
    assert limits_of(limits_section()()) == DEFAULT_LIMITS


@pytest.mark.parametrize("value", [-1, "0.0000001"])
def test_a_limit_that_is_no_amount_is_refused(value: object) -> None:
    """Negative money and finer parts than a millionth are refused."""
    with pytest.raises(ValidationError):
        limits_section().model_validate({"daily_spend": value})


@pytest.mark.parametrize("speed", [0, -1, 10_001])
def test_the_simulators_clock_runs_forward_and_not_absurdly(speed: int) -> None:
    """Speeds outside of 0 to 10,000 are refused."""
    with pytest.raises(ValidationError):
        SimulatorSettings.model_validate({"speed": speed})


def test_a_phone_presses_only_keys() -> None:
    """Letters are no keys."""
    assert PhoneSettings(press="12#").press == "12#"
    with pytest.raises(ValidationError):
        PhoneSettings(press="a")
