"""The models are what the interface promises."""

from channels.api.models import BalanceOut, CallOut, LegOut, PartyOut

MONEY = {"balance", "held", "available", "credit_limit", "spent_today", "cost"}


def test_money_is_text_and_times_may_be_absent() -> None:
    """No amount is a number, no time is required to have happened."""
    for model in (BalanceOut, CallOut, PartyOut, LegOut):
        for name, field in model.model_fields.items():
            if name in MONEY:
                assert field.annotation is str, name
            if name.endswith("_at") and name != "created_at":
                assert field.annotation == str | None, name
