"""Settings of the Kannel channel."""

import pytest
from pydantic import ValidationError

from channels.kannel_sms.settings import KannelSettings
from channels.kit.sms_out import SEGMENTS_LIMIT


def test_secrets_hide_themselves() -> None:
    """Neither of the two is in what is printed or logged."""
    settings = KannelSettings.model_validate({"secret": "s3cret", "password": "pa55"})
    assert "s3cret" not in repr(settings)
    assert "pa55" not in repr(settings)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("max_segments", SEGMENTS_LIMIT, SEGMENTS_LIMIT + 1),
        ("max_segments", 1, 0),
        ("country", "GB", "gb"),
        ("networks", ["10.0.0.0/8"], ["10.0.0.1/8"]),
        ("timeout_s", 0.1, 0),
    ],
)
def test_settings_are_checked(key: str, good: object, bad: object) -> None:
    """At the limit they are taken, past it the start is refused."""
    KannelSettings.model_validate({key: good})
    with pytest.raises(ValidationError):
        KannelSettings.model_validate({key: bad})
