"""The one table of verbs: it drives the parser, the help, the pages' menus and "did you mean".

A verb is one row: the word, its synonyms, the shape of what follows, examples that parse, the help
line. Carriers swallow opt-out words (STOP, CANCEL, END, …) before we see them, so none of them is
ever the only word for anything; a few are *silent*: understood with a ref behind them when one
arrives by mail, and never taught.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from call_core import commands
from call_core.commands import Command

OPT_OUT_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
OPT_IN_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
CARRIER_WORDS = OPT_OUT_WORDS | OPT_IN_WORDS | HELP_WORDS
_CARRIER_PUNCTUATION = " -.,!?\n"
_CLOSE_ENOUGH = 0.7


class Shape(Enum):
    """What follows a verb."""

    CALL = "target, options"
    CONFERENCE = "targets, options"
    NOTHING = "nothing"
    OPTIONAL_REF = "[ref]"
    NEEDED_REF = "ref"
    TARGET = "target [ref]"
    PARTY = "party [ref]"
    MINUTES = "minutes [ref]"
    CONFIRM = "[ref] [code]"
    CHOICE = "number [ref]"
    QUOTE = "target [from target]"
    PLACE = "place"
    DIAL = "place or number"
    BILLING_CODE = "ref billing code"
    WHEN = "ref time"
    SAVE = "name number"
    SLOT = "slot target"
    NAME = "name"
    CODE = "code"
    OWN_PHONE = "label [number]"
    BELONGING = "label or address"
    PREFIX = "[beginning of a name]"
    TOPIC = "[verb]"
    LATER = "not yet"


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the table.

    Attributes:
        word: what is taught; `synonyms` are understood and may be taught; `silent` are carrier
            words understood only with a ref (or, for help, a verb) behind them, never taught.
        shape: what follows; decides how the arguments are read.
        make: builds the command; None for shapes whose reader builds it itself.
        examples: complete lines, each of which parses.
        help: one line for people.
    """

    word: str
    shape: Shape
    make: Callable[..., Command] | None
    examples: tuple[str, ...]
    help: str
    synonyms: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def later(self) -> bool:
        """Whether the word is only reserved so far."""
        return self.shape is Shape.LATER


_LAUNCH = (
    Verb(
        "call",
        Shape.CALL,
        None,
        (
            "call mom",
            "call mom from office code ACME-12 max $5 private",
            "call 0207 946 0018 max 20 min",
            "call mom at 6pm",
            "call mom in 10",
            'call "bob and sons"',
            "call from 415 555 2671 to 212 555 0100",
        ),
        "rings your phone, then the other; options in any order; at and in call later",
        synonyms=("ring",),
    ),
    Verb(
        "conf",
        Shape.CONFERENCE,
        None,
        (
            "conf mom, bob, +44 20 7946 0018",
            'conf mom and bob at mon 9am london for 30 min title "weekly"',
            "conf mom, bob from cell",
        ),
        "conference now or later; you are rung first, on your own phone",
        synonyms=("conference", "meet"),
    ),
    Verb("last", Shape.NOTHING, commands.Last, ("last",), "calls the last number again"),
)
_CONTROL = (
    Verb("add", Shape.TARGET, commands.Add, ("add bob", "add bob 4F7"), "brings one more in"),
    Verb(
        "drop",
        Shape.PARTY,
        commands.Drop,
        ("drop 3", "drop bob", "drop 3 4F7"),
        "hangs one party up",
        synonyms=("remove", "kick"),
    ),
    Verb(
        "mute",
        Shape.PARTY,
        commands.Mute,
        ("mute 3", "mute all", "mute 3 4F7"),
        "silences one party, or all but the chair",
    ),
    Verb(
        "unmute",
        Shape.PARTY,
        commands.Unmute,
        ("unmute 3", "unmute all"),
        "lets them speak again",
    ),
    Verb("lock", Shape.OPTIONAL_REF, commands.Lock, ("lock", "lock 4F7"), "lets nobody else in"),
    Verb("unlock", Shape.OPTIONAL_REF, commands.Unlock, ("unlock",), "lets others in again"),
    Verb(
        "extend",
        Shape.MINUTES,
        commands.Extend,
        ("extend 15", "extend 15 4F7"),
        "adds minutes to the stated length",
    ),
    Verb(
        "redial",
        Shape.PARTY,
        commands.Redial,
        ("redial 3", "redial bob"),
        "rings a party again whose call ended",
    ),
    Verb(
        "move",
        Shape.TARGET,
        commands.Move,
        ("move cell", "move cell 4F7"),
        "goes on with the call on another of your phones",
    ),
    Verb("who", Shape.OPTIONAL_REF, commands.Who, ("who", "who 4F7"), "who is in the call"),
    Verb(
        "hangup",
        Shape.OPTIONAL_REF,
        commands.HangUp,
        ("hangup", "hangup 4F7", "bye"),
        "ends the call",
        synonyms=("bye", "hang up"),
        silent=("end", "cancel", "quit", "stop"),
    ),
)
_ANSWERS = (
    Verb(
        "go",
        Shape.CONFIRM,
        commands.Confirm,
        ("go", "go 4F7", "GO 4F7 881342"),
        "confirms what was asked",
        synonyms=("ok", "confirm"),
        silent=("yes",),
    ),
    Verb(
        "pick",
        Shape.CHOICE,
        commands.Choose,
        ("pick 2", "pick 12 4F7"),
        "picks a numbered choice",
        synonyms=("choose",),
    ),
)
_MONEY = (
    Verb(
        "quote",
        Shape.QUOTE,
        commands.Quote,
        ("quote mom", "quote mom from office"),
        "price of both legs before calling",
        synonyms=("price",),
    ),
    Verb(
        "rate",
        Shape.PLACE,
        commands.Rate,
        ("rate ghana", "rate +44 20"),
        "price of a destination",
        synonyms=("rates",),
    ),
    Verb("balance", Shape.NOTHING, commands.Balance, ("balance",), "what is left", ("bal",)),
    Verb("history", Shape.NOTHING, commands.History, ("history",), "past calls", ("calls",)),
    Verb("status", Shape.NEEDED_REF, commands.Status, ("status 4F7", "4F7"), "one call"),
    Verb("why", Shape.NEEDED_REF, commands.Why, ("why 4F7",), "the arithmetic of its bill"),
    Verb(
        "code",
        Shape.BILLING_CODE,
        commands.SetBillingCode,
        ("code 4F7 ACME-12",),
        "corrects the billing code of a call",
    ),
    Verb("more", Shape.NOTHING, commands.More, ("more",), "the rest of a list"),
)
_SCHEDULE = (
    Verb("next", Shape.NOTHING, commands.Next, ("next",), "what is scheduled", ("scheduled",)),
    Verb("skip", Shape.NEEDED_REF, commands.Skip, ("skip 4F7",), "drops a scheduled call"),
    Verb(
        "late",
        Shape.MINUTES,
        commands.Late,
        ("late 5", "late 5 4F7"),
        "comes some minutes later than scheduled",
    ),
    Verb(
        "at",
        Shape.WHEN,
        commands.Reschedule,
        ("at 4F7 tue 10:00", "at 4F7 tue 3pm"),
        "moves a scheduled call",
        synonyms=("reschedule",),
    ),
)
_DIRECTORY = (
    Verb(
        "save",
        Shape.SAVE,
        None,
        ("save bob 0207 946 0018", 'save "bob 2" 0207 946 0018'),
        "writes a directory entry",
    ),
    Verb("forget", Shape.NAME, commands.Forget, ("forget bob",), "removes an entry"),
    Verb(
        "dir",
        Shape.PREFIX,
        commands.Directory,
        ("dir", "dir smi"),
        "lists the directory",
        synonyms=("directory", "names"),
    ),
    Verb("slot", Shape.SLOT, commands.SetSlot, ("slot 7 bob",), "sets a speed dial slot"),
    Verb("phones", Shape.NOTHING, commands.Phones, ("phones",), "your own phones"),
    Verb("use", Shape.NAME, commands.UsePhone, ("use cell",), "makes a phone the default"),
    Verb("undo", Shape.NOTHING, commands.Undo, ("undo",), "takes the last change back, for 60 s"),
)
_BELONGINGS = (
    Verb(
        "verify",
        Shape.OWN_PHONE,
        None,
        ("verify cell 415 555 2671", "verify cell"),
        "puts a phone of yours on file; it rings and asks for the four digits you are shown",
    ),
    Verb(
        "device",
        Shape.NOTHING,
        commands.Device,
        ("device",),
        "a code for ten minutes; whatever sends it first is yours from then on",
    ),
    Verb(
        "join",
        Shape.CODE,
        commands.Join,
        ("join 7K3F-9QTD",),
        "sent from a new address: makes it one of yours",
    ),
    Verb(
        "detach",
        Shape.BELONGING,
        commands.Detach,
        ("detach cell", "detach ann@example.org"),
        "takes a phone or an address off your file",
    ),
)
_HELP = (
    Verb("time", Shape.PLACE, commands.LocalTime, ("time tokyo",), "local time there"),
    Verb(
        "dial",
        Shape.DIAL,
        commands.DialHelp,
        ("dial accra",),
        "how to dial a place; with a number it calls",
    ),
    Verb(
        "menu",
        Shape.TOPIC,
        commands.Menu,
        ("menu", "?", "menu conf"),
        "this list, or one command",
        synonyms=("?", "commands"),
        silent=("help", "info"),
    ),
)
LATER_WORDS = (
    "group",
    "first",
    "every",
    "quiet",
    "topup",
    "agent",
    "dispute",
    "lang",
    "block",
)

VERBS: tuple[Verb, ...] = (
    *_LAUNCH,
    *_CONTROL,
    *_ANSWERS,
    *_MONEY,
    *_SCHEDULE,
    *_DIRECTORY,
    *_BELONGINGS,
    *_HELP,
    *(Verb(word, Shape.LATER, None, (), "not yet") for word in LATER_WORDS),
)


@dataclass(frozen=True, slots=True)
class Form:
    """What can be written without a verb."""

    examples: tuple[str, ...]
    help: str


BARE_FORMS: tuple[Form, ...] = (
    Form(
        ("616 977 9933", "+44 (0)20 7946 0018 x12", "1-800-FLOWERS", "mom", "*7"),
        "a number, a name or a speed dial slot alone is a call",
    ),
    Form(("2", "4F7 2"), "a digit alone picks a numbered choice and never calls"),
)

_BY_WORD: dict[str, Verb] = {word: verb for verb in VERBS for word in (verb.word, *verb.synonyms)}
_BY_SILENT_WORD: dict[str, Verb] = {word: verb for verb in VERBS for word in verb.silent}


def find(word: str) -> Verb | None:
    """Return the verb that `word`, in lower case, is the word or a synonym of."""
    return _BY_WORD.get(word)


def find_silent(word: str) -> Verb | None:
    """Return the verb that a carrier word would stand for with a ref behind it."""
    return _BY_SILENT_WORD.get(word)


def suggest(word: str) -> str | None:
    """Return the taught word that is nearest to a misspelled one, or None."""
    words = [verb.word for verb in VERBS if not verb.later]
    return next(iter(difflib.get_close_matches(word.lower(), words, 1, _CLOSE_ENOUGH)), None)


def carrier_command(text: str) -> Command | None:
    """Return the consent command when the whole text is a carrier's word, however spaced."""
    if any(not letter.isalpha() and letter not in _CARRIER_PUNCTUATION for letter in text):
        return None
    letters = "".join(letter for letter in text if letter.isalpha()).upper()
    if letters in OPT_OUT_WORDS:
        return commands.OptOut(letters)
    if letters in OPT_IN_WORDS:
        return commands.OptIn(letters)
    return commands.Menu() if letters in HELP_WORDS else None


def grammar_table() -> list[tuple[str, str]]:
    """Return the rows `(what to write, what it means)` of the table in `parsers/README.md`.

    The first cell holds complete lines in back-ticks, separated by ` · `.
    """
    rows = [(form.examples, form.help) for form in BARE_FORMS]
    rows += [(verb.examples, verb.help) for verb in VERBS if not verb.later]
    return [(" · ".join(f"`{line}`" for line in lines), meaning) for lines, meaning in rows]
