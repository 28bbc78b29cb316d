"""One reader per shape of `parsers.verbs.Shape`: what follows a verb, made into its command.

Readers raise `ParseError`; what they leave over is refused by naming it.
"""

from collections.abc import Callable

from call_core.commands import (
    Call,
    Command,
    Conference,
    Mute,
    Name,
    Number,
    OwnPhone,
    Quote,
    Save,
    SetSlot,
    Slot,
    Unmute,
)
from call_core.errors import ParseError
from parsers import verbs
from parsers.lexer import Kind, Token, joined, trimmed
from parsers.numbers import digits_of, looks_like_number, number_of, split_numbers
from parsers.options import (
    FOR_CALL,
    FOR_CONFERENCE,
    FOR_QUOTE,
    read_billing_code,
    read_minutes,
    read_options,
)
from parsers.targets import (
    MAX_NAME_CHARS,
    clean_name,
    name_of,
    not_understood,
    read_target,
    read_targets,
    ref_of,
)
from parsers.verbs import Shape, Verb
from parsers.when import read_when

MAX_PLACE_CHARS = 80
MAX_JOIN_CODE_CHARS = 20
MAX_ADDRESS_CHARS = 254  # RFC 5321 section 4.5.3.1.3, less the brackets
MAX_PARTY_DIGITS = 3
MAX_CHOICE_DIGITS = 2
CONFIRM_CODE_DIGITS = range(4, 9)
_MAX_SAVE_WORDS = 32
_MAX_COUNTRY_CODE_DIGITS = 3


def is_digits(token: Token, limit: int) -> bool:
    """Whether a token is a plain number of at most `limit` digits."""
    text = token.text
    return token.kind is Kind.WORD and text.isdecimal() and len(text) <= limit


class Arguments:
    """What follows a verb, taken piece by piece; what remains at the end is refused."""

    def __init__(self, verb: Verb, tokens: list[Token], ref: str | None) -> None:
        self.verb = verb
        self.tokens = tokens
        self.ref = ref
        self.example = next(iter(verb.examples), "")

    def need(self) -> None:
        """Refuse when nothing is left."""
        if not self.tokens:
            raise ParseError("missing_argument", verb=self.verb.word, example=self.example)

    def end(self) -> None:
        """Refuse when anything is left."""
        if self.tokens:
            raise not_understood(joined(self.tokens), self.example, verb=self.verb.word)

    def take_ref(self) -> str | None:
        """Take a ref from the end, or the start, of what is left; else the one replied to."""
        for place in (-1, 0):
            ref = ref_of(self.tokens[place]) if self.tokens else None
            if ref:
                del self.tokens[place]
                return ref
        return self.ref

    def need_ref(self) -> str:
        """Take a ref as `take_ref` does; refuse when there is none."""
        ref = self.take_ref()
        if ref is None:
            raise ParseError("ref_missing", verb=self.verb.word, example=self.example)
        return ref

    def make(self, *values: object) -> Command:
        """Build the verb's command once everything was consumed."""
        self.end()
        assert self.verb.make is not None, "the readers of these shapes need no maker"
        return self.verb.make(*values)


# --- one reader per shape -----------------------------------------------------------------------


def _call(arguments: Arguments) -> Command:
    arguments.need()
    target, options = read_options(_from_to(arguments.tokens), FOR_CALL)
    if options.minutes is not None and options.max_minutes is not None:
        raise ParseError("option_twice", option="for", example="call mom max 20 min")
    return Call(
        to=read_target(target),
        origin=options.origin,
        billing_code=options.billing_code,
        max_cost=options.max_cost,
        max_minutes=options.max_minutes if options.minutes is None else options.minutes,
        private=options.private,
        at=options.at,
    )


def _from_to(tokens: list[Token]) -> list[Token]:
    """Turn `from A to B`, also as two lines `From: A`, `To: B`, into `B from A`."""
    words = [token.word for token in tokens]
    if words[0] == "to" and len(words) > 1:
        return tokens[1:]
    if words[0] != "from" or "to" not in words[2:]:
        return tokens
    to = words.index("to", 2)
    callee = trimmed(tokens[to + 1 :])
    if not callee:
        raise ParseError("missing_argument", verb="call", example="call mom from office")
    return [*callee, *trimmed(tokens[:to])]


def _conference(arguments: Arguments) -> Command:
    arguments.need()
    targets, options = read_options(arguments.tokens, FOR_CONFERENCE)
    participants = read_targets(targets)
    if not participants:  # only separators, such as `conf and`
        arguments.tokens = []
        arguments.need()
    return Conference(
        participants=participants,
        origin=options.origin,
        billing_code=options.billing_code,
        max_cost=options.max_cost,
        max_minutes=options.max_minutes,
        private=options.private,
        at=options.at,
        minutes=options.minutes,
        title=options.title,
    )


def _nothing(arguments: Arguments) -> Command:
    return arguments.make()


def _optional_ref(arguments: Arguments) -> Command:
    return arguments.make(arguments.take_ref())


def _needed_ref(arguments: Arguments) -> Command:
    return arguments.make(arguments.need_ref())


def _target(arguments: Arguments) -> Command:
    ref = arguments.take_ref()
    arguments.need()
    target, arguments.tokens = read_target(arguments.tokens), []
    return arguments.make(target, ref)


def _party(arguments: Arguments) -> Command:
    ref = arguments.take_ref()
    arguments.need()
    tokens, arguments.tokens = arguments.tokens, []
    if len(tokens) == 1 and is_digits(tokens[0], MAX_PARTY_DIGITS):
        return arguments.make(int(tokens[0].text), ref)
    everybody = len(tokens) == 1 and tokens[0].word == "all"
    if everybody and arguments.verb.make in {Mute, Unmute}:
        return arguments.make(None, ref)
    party = read_target(tokens)
    if everybody or not isinstance(party, Name):
        raise not_understood(joined(tokens), arguments.example, verb=arguments.verb.word)
    return arguments.make(party, ref)


def _minutes(arguments: Arguments) -> Command:
    ref = arguments.take_ref()
    arguments.need()
    tokens, arguments.tokens = arguments.tokens, []
    return arguments.make(read_minutes(tokens, arguments.example), ref)


def _confirm(arguments: Arguments) -> Command:
    code = ""
    for token in arguments.tokens:
        if token.text.isdecimal() and len(token.text) in CONFIRM_CODE_DIGITS:
            code = token.text
            arguments.tokens = [other for other in arguments.tokens if other is not token]
            break
    return arguments.make(arguments.take_ref(), code)


def _choice(arguments: Arguments) -> Command:
    ref = arguments.take_ref()
    arguments.need()
    token = arguments.tokens.pop(0)
    if not is_digits(token, MAX_CHOICE_DIGITS):
        raise not_understood(token.text, arguments.example, verb=arguments.verb.word)
    return arguments.make(int(token.text), ref)


def _quote(arguments: Arguments) -> Command:
    arguments.need()
    target, options = read_options(arguments.tokens, FOR_QUOTE)
    return Quote(read_target(target), options.origin)


def _text(arguments: Arguments, limit: int) -> str:
    """Take all that is left as text."""
    text = clean_name(joined(arguments.tokens))
    if len(text) > limit:
        raise ParseError("too_long", limit=limit, length=len(text), example=arguments.example)
    arguments.tokens = []
    return text


def _place(arguments: Arguments) -> Command:
    arguments.need()
    return arguments.make(_text(arguments, MAX_PLACE_CHARS))


def _dial(arguments: Arguments) -> Command:
    """Read `dial accra`; but `dial` and a number is what people write who want to call it."""
    text = joined(arguments.tokens)
    country_code = text.startswith("+") and len(digits_of(text)) <= _MAX_COUNTRY_CODE_DIGITS
    if looks_like_number(text) and not country_code:
        return Call(read_target(arguments.tokens))
    return _place(arguments)


def _billing_code(arguments: Arguments) -> Command:
    first = ref_of(arguments.tokens[0]) if arguments.tokens else None
    ref = first or arguments.ref
    if ref is None:
        raise ParseError("ref_missing", verb=arguments.verb.word, example=arguments.example)
    arguments.tokens = arguments.tokens[1:] if first else arguments.tokens
    arguments.need()
    tokens, arguments.tokens = arguments.tokens, []
    return arguments.make(ref, read_billing_code(tokens))


def _when(arguments: Arguments) -> Command:
    ref = arguments.need_ref()
    arguments.need()
    tokens, arguments.tokens = arguments.tokens, []
    return arguments.make(ref, read_when(joined(tokens)))


def _save(arguments: Arguments) -> Command:
    name, number = _name_and_number(arguments)
    if number is None:
        raise ParseError("missing_argument", verb="save", example=arguments.example)
    return Save(name, number)


def _own_phone(arguments: Arguments) -> Command:
    label, number = _name_and_number(arguments)
    if not label or '"' in label:  # it could not be written down again
        raise ParseError("name_not_allowed", name=label, example=arguments.example)
    return OwnPhone(label, number)


def _name_and_number(arguments: Arguments) -> tuple[str, Number | None]:
    """Read a name, then a number if any: it is the longest end that looks like one."""
    tokens, verb = arguments.tokens, arguments.verb.word
    arguments.need()
    if len(tokens) > _MAX_SAVE_WORDS:
        raise not_understood(joined(tokens), arguments.example, verb=verb)
    for place in range(1, len(tokens)):
        numbers = split_numbers(joined(tokens[place:]))
        if numbers:
            break
    else:
        return clean_name(joined(tokens)), None
    if len(numbers) > 1:
        raise not_understood(numbers[1], arguments.example, verb=verb)
    return clean_name(joined(tokens[:place]).rstrip("=: ")), number_of(numbers[0])


def _code(arguments: Arguments) -> Command:
    """Read a one-time code, however it was grouped."""
    arguments.need()
    text = joined(arguments.tokens)
    letters = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    if not letters or len(text) > MAX_JOIN_CODE_CHARS:
        raise not_understood(text, arguments.example, verb=arguments.verb.word)
    arguments.tokens = []
    return arguments.make(letters)


def _belonging(arguments: Arguments) -> Command:
    arguments.need()
    return arguments.make(_text(arguments, MAX_ADDRESS_CHARS))


def _slot(arguments: Arguments) -> Command:
    arguments.need()
    slot = read_target([arguments.tokens.pop(0)])
    if isinstance(slot, Number) and len(slot.text) <= MAX_PARTY_DIGITS and slot.text.isdecimal():
        slot = Slot(int(slot.text))
    if not isinstance(slot, Slot):
        raise not_understood(slot.text, arguments.example, verb=arguments.verb.word)
    arguments.need()
    return SetSlot(slot.number, read_target(arguments.tokens))


def _name(arguments: Arguments) -> Command:
    arguments.need()
    tokens, arguments.tokens = arguments.tokens, []
    if len(tokens) == 1 and tokens[0].kind is Kind.QUOTED:
        return arguments.make(name_of(joined(tokens)).text)
    if any(token.kind is Kind.QUOTED for token in tokens):
        raise not_understood(joined(tokens), arguments.example, verb=arguments.verb.word)
    return arguments.make(name_of(clean_name(joined(tokens))).text)


def _prefix(arguments: Arguments) -> Command:
    return arguments.make(_text(arguments, MAX_NAME_CHARS))


def _topic(arguments: Arguments) -> Command:
    if not arguments.tokens:
        return arguments.make()
    word = joined(arguments.tokens).lower()
    topic = verbs.find(word)
    if topic is None:
        nearest = verbs.suggest(word)
        example = f"menu {nearest}" if nearest else "menu conf"
        raise not_understood(joined(arguments.tokens), example, verb="menu")
    arguments.tokens = []
    return arguments.make(topic.word)


def _later(arguments: Arguments) -> Command:
    raise ParseError("not_yet", verb=arguments.verb.word, example="menu")


READERS: dict[Shape, Callable[[Arguments], Command]] = {
    Shape.CALL: _call,
    Shape.CONFERENCE: _conference,
    Shape.NOTHING: _nothing,
    Shape.OPTIONAL_REF: _optional_ref,
    Shape.NEEDED_REF: _needed_ref,
    Shape.TARGET: _target,
    Shape.PARTY: _party,
    Shape.MINUTES: _minutes,
    Shape.CONFIRM: _confirm,
    Shape.CHOICE: _choice,
    Shape.QUOTE: _quote,
    Shape.PLACE: _place,
    Shape.DIAL: _dial,
    Shape.BILLING_CODE: _billing_code,
    Shape.WHEN: _when,
    Shape.SAVE: _save,
    Shape.SLOT: _slot,
    Shape.NAME: _name,
    Shape.CODE: _code,
    Shape.OWN_PHONE: _own_phone,
    Shape.BELONGING: _belonging,
    Shape.PREFIX: _prefix,
    Shape.TOPIC: _topic,
    Shape.LATER: _later,
}
