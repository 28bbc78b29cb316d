"""What people can ask for: the closed union `Command`.

Parsers fill these from text, forms and JSON and know syntax only: a target is what was written;
the core resolves it with the user's directory, home country and clock. `CONTROL` commands carry
an optional `ref`; None means the only running call, or the one that a reply belongs to.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number as it was written, e.g. `+1 616 977 9933 x12`."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A directory entry, a phone label or a conference name, as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A speed dial slot, `*7`."""

    number: int


Target = Number | Name | Slot


@dataclass(frozen=True, slots=True)
class Amount:
    """Money as it was written: `$5` is `Amount("5", "$")`; no unit is `Amount("5", "")`."""

    text: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A time as it was written, fields that were not said are None.

    Attributes:
        text: the words themselves, for the echo.
        in_minutes: `in 10` (then every other field is None).
        weekday: 1 Monday to 7 Sunday (`mon`); `day_offset` 0 today, 1 tomorrow.
        day, month, year: a calendar date; `day_month_doubt` when `3/4` could be either order.
        hour, minute: clock time; hour is 0 to 23 when `meridiem` is "" and as written otherwise.
        meridiem: "am", "pm", or "" when not said. `hour_doubt` when 1 to 12 was said without it
            and nothing else decides.
        night: `tonight`: its hours after midnight belong to the next day.
        zone: the place or zone name as written (`london`, `PST`), "" for the user's own.
    """

    text: str
    in_minutes: int | None = None
    weekday: int | None = None
    day_offset: int | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None
    hour: int | None = None
    minute: int = 0
    meridiem: str = ""
    hour_doubt: bool = False
    day_month_doubt: bool = False
    night: bool = False
    zone: str = ""


# --- launching ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """Ring the user's own phone, then `to`, and bridge them.

    Attributes:
        origin: the user's phone to ring first: a label or a number; None is the default phone.
        max_cost: cap on the whole call; max_minutes counts from the first answer after A.
        private: hide both numbers.
        at: None for now.
    """

    to: Target
    origin: Target | None = None
    billing_code: str | None = None
    max_cost: Amount | None = None
    max_minutes: int | None = None
    private: bool = False
    at: When | None = None


@dataclass(frozen=True, slots=True)
class Conference:
    """Ring the chair's own phone, then every participant; `minutes` is the stated length."""

    participants: tuple[Target, ...]
    origin: Target | None = None
    billing_code: str | None = None
    max_cost: Amount | None = None
    max_minutes: int | None = None
    private: bool = False
    at: When | None = None
    minutes: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Last:
    """Call the last number again (`last`)."""


# --- controlling a running call -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Add:
    """Bring one more party into a running call."""

    target: Target
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Hang up one party; `party` is its number or a name."""

    party: int | Name
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """Mute one party, or all but the chair when `party` is None."""

    party: int | Name | None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Unmute:
    """Undo `Mute`."""

    party: int | Name | None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """Let nobody be added any more."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Unlock:
    """Undo `Lock`."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """Lengthen the stated length or the minute limit."""

    minutes: int
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Redial:
    """Ring a party again whose last leg ended; at most three times."""

    party: int | Name
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Go on with the call on another of the user's own phones, without leaving it."""

    to: Target
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """Who is in the call, and in what state."""

    ref: str | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    ref: str | None = None


# --- answering questions ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confirm:
    """`go 4F7`: yes to what was asked; `code` is the number that a challenge mail carried."""

    ref: str | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """`2`, `4F7 2`: the numbered choice."""

    number: int
    ref: str | None = None


# --- money and past calls -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quote:
    """Price of both legs before calling."""

    to: Target
    origin: Target | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Price of a destination: a country, a place or a number."""

    destination: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left, and what is held."""


@dataclass(frozen=True, slots=True)
class History:
    """Past calls, newest first."""


@dataclass(frozen=True, slots=True)
class Status:
    """One call, running or past."""

    ref: str


@dataclass(frozen=True, slots=True)
class Why:
    """The arithmetic of a bill."""

    ref: str


@dataclass(frozen=True, slots=True)
class SetBillingCode:
    """Correct the billing code of a call (`code 4F7 ACME-12`)."""

    ref: str
    billing_code: str


@dataclass(frozen=True, slots=True)
class More:
    """The rest of the list that was cut."""


# --- schedule -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Next:
    """What is scheduled."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Drop a scheduled call."""

    ref: str


@dataclass(frozen=True, slots=True)
class Late:
    """Come some minutes later than scheduled."""

    minutes: int
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Move a scheduled call (`at 4F7 tue 10:00`)."""

    ref: str
    at: When


# --- directory ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Save:
    """Write a directory entry."""

    name: str
    number: Number


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove a directory entry."""

    name: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Entries whose name begins with `prefix`; "" lists all."""

    prefix: str = ""


@dataclass(frozen=True, slots=True)
class SetSlot:
    """Put a target on a speed dial slot."""

    slot: int
    target: Target


@dataclass(frozen=True, slots=True)
class Phones:
    """The user's own phones."""


@dataclass(frozen=True, slots=True)
class UsePhone:
    """Make a phone the default one (`use cell`)."""

    label: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last change of directory, slot, phone or billing code back, for 60 seconds."""


# --- own phones, addresses and devices -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Device:
    """Ask for a one-time code that puts another address on the user's file (`device`)."""


@dataclass(frozen=True, slots=True)
class Join:
    """Put the address that this comes from on the file of whoever was given the code."""

    code: str


@dataclass(frozen=True, slots=True)
class OwnPhone:
    """Put a phone of one's own on file and ring it (`verify cell 415 555 2671`).

    Without a number a phone that is on file already is rung again, to be verified.
    """

    label: str
    number: Number | None = None


@dataclass(frozen=True, slots=True)
class Detach:
    """Take one of the user's own phones (by label) or addresses off the file."""

    what: str


# --- help ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Local time somewhere (`time tokyo`)."""

    place: str


@dataclass(frozen=True, slots=True)
class DialHelp:
    """Country and city code and how to write numbers of a place (`dial accra`)."""

    place: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Help that fits the channel; `topic` is a verb or ""."""

    topic: str = ""


@dataclass(frozen=True, slots=True)
class OptOut:
    """A carrier's opt-out word reached us (`STOP`): recorded and obeyed."""

    word: str


@dataclass(frozen=True, slots=True)
class OptIn:
    """A carrier's opt-in word reached us (`START`)."""

    word: str


Launch = Call | Conference | Last
Control = Add | Drop | Mute | Unmute | Lock | Unlock | Extend | Redial | Move | Who | HangUp
Answer = Confirm | Choose
Schedule = Next | Skip | Late | Reschedule
DirectoryChange = Save | Forget | SetSlot | UsePhone | Undo
Information = (
    Quote
    | Rate
    | Balance
    | History
    | Status
    | Why
    | More
    | Directory
    | Phones
    | LocalTime
    | DialHelp
    | Menu
)
Belonging = Device | Join | OwnPhone | Detach
Consent = OptOut | OptIn
Command = (
    Launch
    | Control
    | Answer
    | Schedule
    | DirectoryChange
    | Belonging
    | Information
    | SetBillingCode
    | Consent
)
