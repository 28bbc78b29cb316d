"""Two-phase transfers, as a story told in lines."""

from dataclasses import replace

import pytest

from call_core.ledger.accounts import Account, AccountFlag, AccountKind
from call_core.ledger.transfers import (
    MAX_TRANSFER_MICROS,
    Applied,
    Result,
    Transfer,
    TransferCode,
    TransferKind,
    apply,
    post_of,
    void_of,
)

ACCOUNTS = (
    Account("pre", "USD", AccountKind.CUSTOMER_PREPAID),
    Account("post", "USD", AccountKind.CUSTOMER_POSTPAID, credit_limit_micros=50),
    Account("cash", "USD", AccountKind.OPERATOR_CASH),
    Account("rev", "USD", AccountKind.OPERATOR_REVENUE),
    Account("eur", "EUR", AccountKind.OPERATOR_REVENUE),
)
KINDS = {"hold": TransferKind.PENDING, "pay": TransferKind.SINGLE}
KINDS |= {"post": TransferKind.POST, "void": TransferKind.VOID}


class Ledger:
    """The smallest ledger: what a store does, with dictionaries."""

    def __init__(self) -> None:
        self.accounts = {account.id: account for account in ACCOUNTS}
        self.log: dict[str, Transfer] = {}

    def ask(self, transfer: Transfer) -> Result:
        """Applies a transfer and keeps what came of it."""
        ends = (one for one in self.log.values() if one.pending_id == transfer.pending_id)
        outcome = apply(
            self.accounts.get(transfer.debit_account),
            self.accounts.get(transfer.credit_account),
            transfer,
            pending=self.log.get(transfer.pending_id),
            existing=self.log.get(transfer.id),
            ended_by=next(ends, None) if transfer.pending_id else None,
        )
        if isinstance(outcome, Result):
            return outcome
        self.accounts |= {outcome.debit.id: outcome.debit, outcome.credit.id: outcome.credit}
        self.log[transfer.id] = transfer
        return Result.OK

    def line(self, text: str) -> Result:
        """Reads "id kind debit>credit amount [pending]" and asks it."""
        transfer_id, kind, parties, amount, *pending = text.split()
        debit, credit = parties.split(">")
        return self.ask(
            Transfer(
                id=transfer_id,
                debit_account=debit,
                credit_account=credit,
                amount_micros=int(amount),
                currency="USD",
                kind=KINDS[kind],
                code=TransferCode.CALL,
                at_call_ms=len(self.log),
                pending_id=pending[0] if pending else "",
            )
        )


# id kind debit>credit amount [pending] = result; "account dp dr cp cr" states the counters.
STORIES = {
    "a prepaid customer tops up, talks and is charged less than was held": """
        t1 pay  cash>pre 100     = OK
        h1 hold pre>rev  60      = OK
           pre 60 0 0 100
           rev 0 0 60 0
        p1 post pre>rev  45 h1   = OK
           pre 0 45 0 100
           rev 0 0 0 45
    """,
    "a hold that is voided leaves no trace but its lines": """
        t1 pay  cash>pre 100     = OK
        h1 hold pre>rev  60      = OK
        v1 void pre>rev  60 h1   = OK
           pre 0 0 0 100
           rev 0 0 0 0
    """,
    "holds count against a prepaid balance": """
        h0 hold pre>rev  1       = EXCEEDS_CREDITS
        t1 pay  cash>pre 100     = OK
        h1 hold pre>rev  60      = OK
        h2 hold pre>rev  41      = EXCEEDS_CREDITS
        s1 pay  pre>rev  41      = EXCEEDS_CREDITS
        h3 hold pre>rev  40      = OK
           pre 100 0 0 100
    """,
    "money that is only promised cannot be spent": """
        h1 hold cash>pre 100     = OK
        h2 hold pre>rev  1       = EXCEEDS_CREDITS
        p1 post cash>pre 100 h1  = OK
        h2 hold pre>rev  1       = OK
    """,
    "a postpaid customer goes as far below zero as the limit": """
        h1 hold post>rev 51      = EXCEEDS_CREDIT_LIMIT
        h1 hold post>rev 30      = OK
        s1 pay  post>rev 20      = OK
        s2 pay  post>rev 1       = EXCEEDS_CREDIT_LIMIT
           post 30 20 0 0
    """,
    "a free destination is held and settled with nothing": """
        h1 hold pre>rev  0       = OK
        p1 post pre>rev  0 h1    = OK
        h2 hold pre>rev  0       = OK
        v2 void pre>rev  0 h2    = OK
        p3 post pre>rev  0 h2    = PENDING_ALREADY_VOIDED
    """,
    "asking again is harmless, asking for something else is not": """
        t1 pay  cash>pre 100     = OK
        t1 pay  cash>pre 100     = EXISTS
        t1 pay  cash>pre 101     = EXISTS_WITH_DIFFERENT_CONTENT
        t1 hold cash>pre 100     = EXISTS_WITH_DIFFERENT_CONTENT
        h1 hold pre>rev  60      = OK
        p1 post pre>rev  60 h1   = OK
        p1 post pre>rev  60 h1   = EXISTS
        h1 hold pre>rev  60      = EXISTS
           pre 0 60 0 100
    """,
    "a hold ends once": """
        t1 pay  cash>pre 100     = OK
        h1 hold pre>rev  60      = OK
        p1 post pre>rev  60 h1   = OK
        p2 post pre>rev  60 h1   = PENDING_ALREADY_POSTED
        v2 void pre>rev  60 h1   = PENDING_ALREADY_POSTED
        h2 hold pre>rev  40      = OK
        v3 void pre>rev  40 h2   = OK
        v4 void pre>rev  40 h2   = PENDING_ALREADY_VOIDED
        p4 post pre>rev  40 h2   = PENDING_ALREADY_VOIDED
    """,
    "an end must fit its hold": """
        t1 pay  cash>pre 100     = OK
        h1 hold pre>rev  60      = OK
        p1 post pre>rev  60 h9   = PENDING_NOT_FOUND
        p1 post cash>pre 99 t1   = PENDING_NOT_FOUND
        p1 post pre>rev  60      = PENDING_NOT_FOUND
        p1 post pre>rev  61 h1   = POST_EXCEEDS_PENDING
        p1 post pre>cash 60 h1   = PENDING_HAS_OTHER_ACCOUNTS
        v1 void pre>rev  59 h1   = VOID_AMOUNT_DIFFERS
        p1 post pre>rev  0 h1    = OK
           pre 0 0 0 100
    """,
    "a transfer must make sense": f"""
        t1 pay  cash>nil 1       = CREDIT_ACCOUNT_NOT_FOUND
        t1 pay  nil>pre  1       = DEBIT_ACCOUNT_NOT_FOUND
        t1 pay  pre>pre  1       = ACCOUNTS_ARE_THE_SAME
        t1 pay  pre>eur  1       = ACCOUNT_CURRENCY_DIFFERS
        t1 pay  eur>pre  1       = ACCOUNT_CURRENCY_DIFFERS
        t1 pay  cash>pre 0       = AMOUNT_NOT_POSITIVE
        t1 pay  cash>pre -1      = AMOUNT_NOT_POSITIVE
        h1 hold cash>pre -1      = AMOUNT_NOT_POSITIVE
        p1 post cash>pre -1 h1   = AMOUNT_NOT_POSITIVE
        t1 pay  cash>pre {MAX_TRANSFER_MICROS + 1} = AMOUNT_TOO_LARGE
        t1 pay  cash>pre {MAX_TRANSFER_MICROS} = OK
    """,
}


@pytest.mark.parametrize("story", STORIES)
def test_stories(story: str) -> None:
    """Every line has the result, and every account the counters, that the story says."""
    ledger = Ledger()
    for line in STORIES[story].strip().splitlines():
        said, equals, result = line.partition("=")
        if equals:
            assert ledger.line(said) is Result[result.strip()], line
        else:
            name, *counters = said.split()
            account = ledger.accounts[name]
            debits = (account.debits_pending, account.debits_posted)
            credits_ = (account.credits_pending, account.credits_posted)
            assert debits + credits_ == tuple(map(int, counters)), line


def frozen_ledger() -> Ledger:
    """A customer with 100 and a hold of 60 who is then frozen."""
    ledger = Ledger()
    ledger.line("t1 pay cash>pre 100")
    ledger.line("h1 hold pre>rev 60")
    ledger.accounts["pre"] = replace(ledger.accounts["pre"], flags=AccountFlag.FROZEN)
    return ledger


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("h2 hold pre>rev 1", Result.FROZEN),
        ("h2 hold pre>rev 0", Result.FROZEN),
        ("s2 pay pre>rev 1", Result.FROZEN),
        ("s2 pay pre>rev 999", Result.FROZEN),
        ("t2 pay cash>pre 1", Result.OK),
        ("p1 post pre>rev 60 h1", Result.OK),
        ("v1 void pre>rev 60 h1", Result.OK),
        ("h1 hold pre>rev 60", Result.EXISTS),
    ],
)
def test_a_frozen_account_takes_no_new_debit(line: str, result: Result) -> None:
    """Live legs settle and money may come in, but nothing new is held or taken."""
    ledger = frozen_ledger()
    assert ledger.line(line) is result
    assert ledger.accounts["pre"].flags is AccountFlag.FROZEN


def test_a_lowered_limit_stops_new_holds_and_not_the_end_of_old_ones() -> None:
    """What was promised is settled; nothing more is promised, save what is free."""
    ledger = Ledger()
    ledger.line("h1 hold post>rev 50")
    ledger.accounts["post"] = replace(ledger.accounts["post"], credit_limit_micros=0)
    assert ledger.line("h2 hold post>rev 1") is Result.EXCEEDS_CREDIT_LIMIT
    assert ledger.line("h3 hold post>rev 0") is Result.OK
    assert ledger.line("p1 post post>rev 50 h1") is Result.OK


HOLD = Transfer(
    "h1", "pre", "rev", 60, "USD", TransferKind.PENDING, TransferCode.CALL, 7, "", "call-1", "leg-1"
)


def test_the_time_is_not_content() -> None:
    """A repeat that comes later is still the same transfer."""
    assert apply(None, None, replace(HOLD, at_call_ms=9), existing=HOLD) is Result.EXISTS


@pytest.mark.parametrize(
    "change",
    [
        {"debit_account": "cash"},
        {"credit_account": "cash"},
        {"amount_micros": 61},
        {"currency": "EUR"},
        {"kind": TransferKind.SINGLE},
        {"code": TransferCode.FREE_LEG},
        {"pending_id": "h0"},
        {"call_id": "call-2"},
        {"leg_id": "leg-2"},
    ],
)
def test_everything_else_is_content(change: dict[str, object]) -> None:
    """The same id for anything else is an error."""
    other = replace(HOLD, **change)  # type: ignore[arg-type]  # (table of fields)
    assert apply(None, None, other, existing=HOLD) is Result.EXISTS_WITH_DIFFERENT_CONTENT


def test_ends_are_made_from_their_hold() -> None:
    """Post and void carry over whose, which and what for."""
    post = post_of(HOLD, "p1", 45, 9)
    void = void_of(HOLD, "v1", 9)
    assert post == replace(
        HOLD, id="p1", kind=TransferKind.POST, amount_micros=45, at_call_ms=9, pending_id="h1"
    )
    assert void == replace(HOLD, id="v1", kind=TransferKind.VOID, at_call_ms=9, pending_id="h1")


def test_the_accounts_of_the_transfer_must_be_given() -> None:
    """Wrong accounts are our own bug, never a result."""
    pre, _, cash, *_ = ACCOUNTS
    with pytest.raises(AssertionError):
        apply(cash, pre, HOLD)


def test_apply_changes_nothing_that_it_was_given() -> None:
    """The accounts given stay as they were; the new ones are in the answer."""
    pre, _, cash, *_ = ACCOUNTS
    top_up = Transfer("t1", "cash", "pre", 5, "USD", TransferKind.SINGLE, TransferCode.TOP_UP, 0)
    outcome = apply(cash, pre, top_up)
    assert outcome == Applied(replace(cash, debits_posted=5), replace(pre, credits_posted=5))
    assert pre.credits_posted == 0


def test_results_are_sentences() -> None:
    """Every result says what happened, each in its own words."""
    assert len({result.value for result in Result}) == len(Result)
    assert all(" " in result.value and result.value[0].islower() for result in Result)
