"""The chart of accounts."""

import pytest

from call_core.ledger.accounts import (
    HOUSE_PURPOSES,
    Account,
    AccountKind,
    available,
    customer_account,
    house_account,
    is_customer_account,
    kind_of_id,
)

PREPAID = AccountKind.CUSTOMER_PREPAID
POSTPAID = AccountKind.CUSTOMER_POSTPAID
REVENUE = AccountKind.OPERATOR_REVENUE


@pytest.mark.parametrize("purpose", sorted(HOUSE_PURPOSES))
def test_house_accounts_are_named_by_purpose_currency_and_node(purpose: AccountKind) -> None:
    """Every purpose has an id, and the id tells the purpose."""
    account_id = house_account(purpose, "USD", "ny1")
    assert account_id == f"operator:{purpose.value}:USD:ny1"
    assert kind_of_id(account_id) is purpose
    assert not is_customer_account(account_id)


def test_a_customers_account_is_named_by_the_customer() -> None:
    """The id tells that it is a customer's; the stricter kind is assumed."""
    assert customer_account("c7") == "customer:c7"
    assert kind_of_id("customer:c7") is PREPAID
    assert is_customer_account("customer:c7")


@pytest.mark.parametrize(
    "account_id",
    [
        "",
        "customer",
        "customer:",
        "operator:",
        "operator:customer_prepaid:USD:a",
        "operator:gold:USD:a",
        "bank:cash:USD:a",
    ],
)
def test_other_ids_are_not_of_this_chart(account_id: str) -> None:
    """An id that nobody here made is refused."""
    with pytest.raises(ValueError, match="is not an account of the chart"):
        kind_of_id(account_id)


def test_customers_have_no_house_account() -> None:
    """Ids are made of the right parts."""
    with pytest.raises(AssertionError):
        house_account(PREPAID, "USD", "ny1")
    with pytest.raises(AssertionError):
        customer_account("")


# kind, limit, debits pending and posted, credits pending and posted, available
@pytest.mark.parametrize(
    ("kind", "limit", "counters", "expected"),
    [
        (PREPAID, None, (0, 0, 0, 0), 0),
        (PREPAID, None, (3, 4, 0, 10), 3),
        (PREPAID, None, (0, 0, 5, 10), 10),
        (POSTPAID, 100, (3, 4, 0, 10), 103),
        (POSTPAID, 0, (3, 4, 0, 10), 3),
        (POSTPAID, 5, (0, 9, 0, 0), -4),
        (REVENUE, None, (0, 9, 0, 10), 1),
    ],
)
def test_available_is_what_may_still_be_taken(
    kind: AccountKind, limit: int | None, counters: tuple[int, int, int, int], expected: int
) -> None:
    """Posted credits and limit, less everything taken or held; pending credits do not count."""
    assert available(Account("customer:c7", "USD", kind, *counters, limit)) == expected


@pytest.mark.parametrize(
    "name", ["debits_pending", "debits_posted", "credits_pending", "credits_posted"]
)
def test_counters_are_never_negative(name: str) -> None:
    """An account that owes holds is a bug and stops at once."""
    with pytest.raises(AssertionError):
        Account("customer:c7", "USD", PREPAID, **{name: -1})  # type: ignore[arg-type]  # (by name)


@pytest.mark.parametrize(("kind", "limit"), [(PREPAID, 5), (POSTPAID, None), (REVENUE, 0)])
def test_only_postpaid_customers_have_a_credit_limit(kind: AccountKind, limit: int | None) -> None:
    """The limit stands exactly where it is used."""
    with pytest.raises(AssertionError):
        Account("customer:c7", "USD", kind, credit_limit_micros=limit)
