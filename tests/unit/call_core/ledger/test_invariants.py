"""Replaying the log, and what is said when the books do not agree."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.ledger.accounts import Account, AccountFlag, AccountKind, available
from call_core.ledger.invariants import MAX_VIOLATIONS, replay, violations
from call_core.ledger.transfers import (
    Applied,
    Transfer,
    TransferCode,
    TransferKind,
    apply,
    post_of,
    void_of,
)

CASH = "operator:cash:USD:a"
REVENUE = "operator:revenue:USD:a"
ANNA, BOB = "customer:anna", "customer:bob"
ACCOUNTS = {
    CASH: Account(CASH, "USD", AccountKind.OPERATOR_CASH),
    REVENUE: Account(REVENUE, "USD", AccountKind.OPERATOR_REVENUE),
    ANNA: Account(ANNA, "USD", AccountKind.CUSTOMER_PREPAID),
    BOB: Account(
        BOB,
        "USD",
        AccountKind.CUSTOMER_POSTPAID,
        credit_limit_micros=40,
        flags=AccountFlag.NONE,
    ),
}


def transfer(
    transfer_id: str,
    debit: str,
    credit: str,
    amount: int,
    kind: TransferKind,
    currency: str = "USD",
) -> Transfer:
    """Makes a transfer from what matters to the books."""
    return Transfer(transfer_id, debit, credit, amount, currency, kind, TransferCode.CALL, 0)


TOP_UP = transfer("t1", CASH, ANNA, 100, TransferKind.SINGLE)
HOLD = transfer("h1", ANNA, REVENUE, 60, TransferKind.PENDING)
OPEN_HOLD = transfer("h2", ANNA, REVENUE, 10, TransferKind.PENDING)
LOG = (TOP_UP, HOLD, OPEN_HOLD, post_of(HOLD, "p1", 45, 0))
BOOKS = replay(LOG, ACCOUNTS.values())


def test_replay_gives_the_balances() -> None:
    """The log alone is enough to know every counter."""
    anna = BOOKS[ANNA]
    assert (anna.debits_pending, anna.debits_posted, anna.credits_posted) == (10, 45, 100)
    assert BOOKS[REVENUE].credits_posted == 45
    assert BOOKS[BOB] == ACCOUNTS[BOB]
    assert violations(BOOKS, LOG) == []


def test_replay_tells_kinds_by_id_when_the_accounts_are_not_given() -> None:
    """Without the stored accounts, customers count as prepaid."""
    books = replay(iter(LOG))
    assert books == {name: account for name, account in BOOKS.items() if name != BOB}


def test_replay_keeps_limit_and_flags() -> None:
    """What is no counter comes from the account given."""
    frozen = replace(ACCOUNTS[BOB], flags=AccountFlag.FROZEN, debits_posted=99)
    hold = transfer("h9", BOB, REVENUE, 5, TransferKind.PENDING)
    assert replay([hold], [frozen])[BOB] == replace(frozen, debits_posted=0, debits_pending=5)


def _with(account_id: str, **change: int | str) -> dict[str, Account]:
    changed = replace(BOOKS[account_id], **change)  # type: ignore[arg-type]  # (table of fields)
    return BOOKS | {account_id: changed}


@pytest.mark.parametrize(
    ("accounts", "log", "expected"),
    [
        (
            _with(ANNA, debits_posted=46),
            LOG,
            [
                f"account {ANNA} has debits_posted 46, its transfers give 45",
                "posted debits and credits in USD differ by 1",
            ],
        ),
        (
            _with(REVENUE, credits_pending=0),
            LOG,
            [
                f"account {REVENUE} has credits_pending 0, its transfers give 10",
                "pending debits and credits in USD differ by 10",
            ],
        ),
        (_with(ANNA, currency="EUR"), LOG, f"account {ANNA} has transfers of another currency"),
        (
            {name: account for name, account in BOOKS.items() if name != REVENUE},
            LOG,
            f"account {REVENUE} has transfers and does not exist",
        ),
        (BOOKS, LOG[:-1], f"account {ANNA} has debits_pending 10, its transfers give 70"),
        (BOOKS, (*LOG, post_of(HOLD, "p2", 45, 0)), ["transfer p2 ends h1, which is not open"]),
        (BOOKS, (*LOG, void_of(HOLD, "v2", 0)), ["transfer v2 ends h1, which is not open"]),
        (BOOKS, (*LOG, OPEN_HOLD), ["transfer h2 is in the ledger twice"]),
        (
            BOOKS,
            (*LOG, post_of(OPEN_HOLD, "p2", 11, 0)),
            ["transfer p2 takes more than was held"],
        ),
        (
            BOOKS,
            (*LOG, replace(void_of(OPEN_HOLD, "v2", 0), debit_account=CASH)),
            ["transfer v2 ends a hold between other accounts"],
        ),
        (
            BOOKS,
            (*LOG, transfer("x", CASH, ANNA, 1, TransferKind.SINGLE, "EUR")),
            ["transfer x crosses currencies"],
        ),
        (
            BOOKS,
            (*LOG, transfer("x", CASH, ANNA, -1, TransferKind.SINGLE)),
            ["transfer x has a negative amount"],
        ),
    ],
)
def test_whatever_is_wrong_is_said(
    accounts: dict[str, Account], log: tuple[Transfer, ...], expected: str | list[str]
) -> None:
    """Every way in which the books can disagree has its sentence."""
    found = violations(accounts, log)
    if isinstance(expected, str):
        assert any(sentence.startswith(expected) for sentence in found), found
    else:
        assert found == expected


def test_a_prepaid_account_below_zero_is_said() -> None:
    """Debits beyond credits are wrong for a prepaid account even when every line adds up."""
    log = (transfer("x", ANNA, REVENUE, 7, TransferKind.SINGLE),)
    assert violations(replay(log), log) == [f"prepaid account {ANNA} is below zero by 7"]


def test_so_many_violations_are_shown_and_no_more() -> None:
    """The list ends at its limit and says that it does."""
    wrong = transfer("x", CASH, ANNA, -1, TransferKind.SINGLE)
    assert len(violations({}, [wrong] * (MAX_VIOLATIONS - 2))) == MAX_VIOLATIONS
    found = violations({}, [wrong] * (MAX_VIOLATIONS - 1))
    assert len(found) == MAX_VIOLATIONS + 1
    assert found[-1] == "there is more that is wrong, not shown"


def test_a_broken_log_is_not_replayed() -> None:
    """Balances are not made of lines that cannot have been applied."""
    with pytest.raises(ValueError, match=r"^The ledger is broken: transfer p1 ends h1, which is"):
        replay([post_of(HOLD, "p1", 45, 0)])


STEP = st.tuples(
    st.sampled_from(["pay", "hold", "post", "void", "again"]),
    st.sampled_from([(CASH, ANNA), (ANNA, REVENUE), (BOB, REVENUE), (CASH, BOB), (ANNA, BOB)]),
    st.integers(0, 60),
    st.integers(0, 30),
)


def _next(
    log: list[Transfer], kind: str, parties: tuple[str, str], amount: int, which: int
) -> Transfer:
    """Makes the transfer that a random step asks for."""
    transfer_id = f"x{len(log)}"
    makers: dict[str, Callable[[Transfer], Transfer]] = {
        "post": lambda past: post_of(past, transfer_id, amount, 0),
        "void": lambda past: void_of(past, transfer_id, 0),
        "again": lambda past: past,
    }
    if kind in makers and log:
        return makers[kind](log[which % len(log)])
    phase = TransferKind.SINGLE if kind == "pay" else TransferKind.PENDING
    return transfer(transfer_id, *parties, amount, phase)


@given(st.lists(STEP, max_size=40))
def test_no_walk_through_the_ledger_breaks_it(
    steps: list[tuple[str, tuple[str, str], int, int]],
) -> None:
    """After every accepted step the books are sound, and replaying the log gives them again."""
    accounts = dict(ACCOUNTS)
    log: list[Transfer] = []
    for step in steps:
        asked = _next(log, *step)
        by_id = {past.id: past for past in log}
        ends = {past.pending_id: past for past in log if past.pending_id}
        outcome = apply(
            accounts[asked.debit_account],
            accounts[asked.credit_account],
            asked,
            by_id.get(asked.pending_id),
            by_id.get(asked.id),
            ends.get(asked.pending_id),
        )
        if isinstance(outcome, Applied):
            accounts |= {outcome.debit.id: outcome.debit, outcome.credit.id: outcome.credit}
            log.append(asked)
        assert available(accounts[ANNA]) >= 0
        assert available(accounts[BOB]) >= 0
    assert violations(accounts, log) == []
    assert replay(log, accounts.values()) == accounts
