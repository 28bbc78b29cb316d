"""What the API shows, as pydantic models; `views` fills them.

Money is a decimal string, times are RFC 3339 in UTC with milliseconds, null when it did not happen.
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class View(BaseModel):
    """Something that the API shows."""

    model_config = ConfigDict(populate_by_name=True)


class ListView(View, Generic[T]):
    """A part of a list; `next` is the cursor of the following part, null at the end."""

    items: list[T]
    next: str | None = Field(default=None, examples=[None])


class LegOut(View):
    """One attempt to reach a party."""

    attempt: int
    state: str
    originated_at: str | None
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    cause: str
    cost: str = Field(examples=["0.04"])


class PartyOut(View):
    """One party of a call; `n` 0 is the caller's own phone or the chair."""

    n: int
    role: str
    label: str
    number: str
    state: str
    muted: bool
    cost: str = Field(examples=["0.04"])
    legs: list[LegOut]


class CallOut(View):
    """A call with its parties, states and running cost."""

    id: str
    ref: str = Field(examples=["4F7"])
    kind: str
    state: str = Field(examples=["CONNECTED"])
    reason: str
    channel: str
    user_id: str
    user: str
    title: str
    billing_code: str
    private: bool
    locked: bool
    created_at: str = Field(examples=["2026-11-24T14:05:12.345Z"])
    due_at: str | None
    timezone: str
    ended_at: str | None
    paid_until: str | None
    cost: str = Field(examples=["0.12"])
    currency: str = Field(examples=["USD"])
    parties: list[PartyOut]
    version: int


class CdrOut(View):
    """The finished record of one leg."""

    id: str
    call_id: str
    ref: str
    party: int
    attempt: int
    leg: str = Field(description="A, B, or the participant's number")
    channel: str
    request_id: str
    user: str
    from_: str = Field(serialization_alias="from")
    to: str
    destination: str
    prefix: str
    rate_id: str
    setup_at: str
    answer_at: str | None
    end_at: str
    end_estimated: bool
    duration_s: int
    billable_s: int
    price_per_minute: str = Field(examples=["0.04"])
    connect_fee: str
    charge: str
    tax: str
    total: str
    currency: str
    buy_cost: str
    buy_currency: str
    billing_code: str
    hangup_cause: str
    hangup_by: str
    switch: str
    trunk: str
    explanation: str


class BalanceOut(View):
    """Money of your customer."""

    currency: str
    plan: str
    balance: str
    held: str
    available: str
    credit_limit: str
    spent_today: str
    daily_spend: str | None


class DirectoryEntryOut(View):
    """A name that can be called."""

    name: str
    number: str
    extension: str
    shared: bool


class PhoneOut(View):
    """One of your own phones, which ring first; only a verified one does."""

    label: str = Field(examples=["cell"])
    number: str
    verified: bool
    default: bool


class AddressOut(View):
    """Where requests of yours come from; a device (`packet`) has its name for an address."""

    channel: str = Field(examples=["smtp"])
    address: str = Field(examples=["ada@hill.example"])
    opted_out: bool = Field(description="nothing is sent there: it asked for no more messages")


class DeviceOut(View):
    """A device that has joined. Its key is shown this once."""

    user: str = Field(description="whose device it is", examples=["Ada"])
    label: str = Field(description="what the user knows it by", examples=["laptop"])
    token: str = Field(description="for `callgate dial` and as a Bearer token")


class PhraseOut(View):
    """One line of an answer as data."""

    code: str
    fields: dict[str, Any]


class OutcomeOut(View):
    """What became of a request: its stable code, its words, its values."""

    kind: str = Field(examples=["launched"])
    code: str = Field(examples=["launched_call"])
    ref: str = Field(examples=["4F7"])
    call_id: str
    text: str
    more: bool = Field(default=False, description="rows were left out; POST `more` for them")
    fields: dict[str, Any]
    rows: list[PhraseOut]


class RequestOut(View):
    """What became of an earlier request."""

    id: str
    channel: str
    received_at: str
    text: str
    call_id: str
    outcome: OutcomeOut


class RateOut(View):
    """Prices of a destination."""

    to: str
    text: str
    items: list[PhraseOut]
    next: str | None = None
