import pytest

from call_core.customers.model import OwnPhone, Verification


@pytest.mark.parametrize(
    ("verification", "verified", "may_be_shown"),
    [
        (Verification.NONE, False, False),
        (Verification.OPERATOR, True, False),
        (Verification.KEY_PRESS, True, True),
    ],
)
def test_what_a_verification_permits(
    verification: Verification,
    verified: bool,  # noqa: FBT001  (a table's column)
    may_be_shown: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """The operator's word lets a phone be rung; only a key press on it lets it be shown."""
    phone = OwnPhone("p1", "u1", "cell", "+16169779933", verification=verification)
    assert (phone.verified, phone.may_be_shown) == (verified, may_be_shown)
