"""Every outcome and notice in words, at every length."""

import re

import pytest

from call_core.codes import Code, codes
from call_core.notices import Notice
from call_core.outcomes import (
    Asked,
    Done,
    Instant,
    Launched,
    Money,
    Phone,
    Phrase,
    Refused,
    Seconds,
    Told,
    Value,
)
from channels.kit.gsm7 import septet_length
from channels.kit.menu import menu_rows
from channels.kit.render import (
    TITLE_LENGTH,
    Budget,
    Content,
    render,
    render_phrase,
    render_subject,
    render_title,
)
from tests.support.contents import contents_of

_SHORT = (Budget.PAGER80, Budget.SMS160)
_NOV_23 = 1_795_424_400_000  # Mon 23 Nov 2026 09:00 UTC
_FIGURE = re.compile(r"\d[\d.,:]*")
_MONEY = re.compile(r"\b(?:IDR|EUR) \d|\$\d")
_STEP = re.compile(
    r"\b(?:[Tt]ry\b|[Rr]eply\b|Top up|To hang up|(?:GO|WHY|WHO|SKIP|HANGUP|REDIAL|DROP|UNDO)\b)"
)


def _ids(code: Code) -> str:
    return f"{code.kind}.{code.code}"


def _usd(cents: int) -> Money:
    return Money(cents * 10_000, "USD")


_LAUNCHED = Launched(
    "call_launched",
    "4F7",
    "call_1",
    {
        "to": "mom",
        "from": "home",
        "parties": 2,
        "price": _usd(6),
        "key": 1,
        "free_first": 1,
        "number": Phone("+442079460018"),
        "destination": "United Kingdom, London",
        "there": Instant(_NOV_23, "Europe/London"),
    },
)
_LINES = (
    Phrase(
        "receipt_line",
        {"label": "home", "talk": Seconds(70), "charge": _usd(2), "result": "completed"},
    ),
    Phrase(
        "receipt_line",
        {"label": "mom", "talk": Seconds(65), "charge": _usd(4), "result": "completed"},
    ),
)
_RECEIPT_FIELDS: dict[str, Value] = {
    "to": "mom",
    "talk": Seconds(65),
    "total": _usd(6),
    "balance": _usd(994),
    "lines": _LINES,
    "legs": 2,
    "reason": "completed",
}
_RECEIPT = Notice("receipt", "4F7", _RECEIPT_FIELDS)
_WHICH = Asked(
    "which_name",
    "4F7",
    (
        Phrase("choice_name", {"name": "Bob Smith", "number": Phone("+442079460018")}),
        Phrase("choice_name", {"name": "Bobby", "number": Phone("+16169779933")}),
    ),
    {"name": "bob"},
)


_RECEIPT_80 = "Your call with mom is over. 4F7, 1:05. Total $0.06, balance $9.94. WHY 4F7"
_WHICH_80 = "Which bob? 4F7: 1 Bob Smith, +44 20 7946 0018; 2 Bobby, +1 616-977-9933. Reply 1"


# --- every code ---------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", _SHORT)
@pytest.mark.parametrize("code", list(codes()), ids=_ids)
def test_every_code_fits(code: Code, budget: Budget) -> None:
    """With the longest values that may come, a text fits and can be sent as a text message."""
    for content in contents_of(code):
        if isinstance(content, Phrase):
            assert 0 < septet_length(render_phrase(content, "UTC", budget)) <= budget
            continue
        for test in (False, True):
            text = render(content, budget, test=test)
            assert 0 < septet_length(text) <= budget
            assert "\n" not in text
            assert text.startswith("TEST ") is test


@pytest.mark.parametrize("budget", Budget)
@pytest.mark.parametrize("code", list(codes()), ids=_ids)
def test_no_figure_is_ever_cut(code: Code, budget: Budget) -> None:
    """Every figure of a short text stands whole in the full text or is one of the texts' own."""
    for content in contents_of(code, rows=2):
        if isinstance(content, Phrase):
            continue
        own = {"1", "0", "7", "9", "12", "15", "20", "22:00", "7:00", "2", "7946", "0018"}
        own |= {"0.0632", "881342", "44", "60", "6", "44...0018"}
        whole = set(_FIGURE.findall(_all_values(content))) | own
        for figure in _FIGURE.findall(render(content, budget)):
            assert figure.rstrip(".,:") in {each.rstrip(".,:") for each in whole}, figure


def _all_values(content: Content) -> str:
    """Return the full text and every value, written in both styles."""
    rows = content.rows if isinstance(content, Told) else ()
    rows = content.choices if isinstance(content, Asked) else rows
    pieces = [render(content), *(render_phrase(row, "UTC", b) for row in rows for b in Budget)]
    pieces += [str(value) for value in content.fields.values()]
    nested = [value for value in content.fields.values() if isinstance(value, tuple)]
    pieces += [render_phrase(each) for value in nested for each in value]
    at = content.fields.get("at")
    if isinstance(at, Instant):
        pieces.append("23 09:01 3")
    return " ".join(pieces)


@pytest.mark.parametrize("budget", Budget)
@pytest.mark.parametrize("code", list(codes()), ids=_ids)
def test_result_ref_money_step_in_this_order(code: Code, budget: Budget) -> None:
    """A text does not begin with the ref; money follows the ref; the next step is last."""
    if code.kind in {"phrase", "told"}:
        return
    for content in contents_of(code, rows=0):
        assert not isinstance(content, Phrase)
        text = render(content, budget)
        assert not text.startswith(content.ref), text
        step = _STEP.search(text)
        end = step.start() if step else len(text)
        ref, money = text.find(content.ref), _MONEY.search(text)
        if code.kind in {"launched", "notice"} and money and 0 <= ref < end:
            assert ref < money.start() < end, text


@pytest.mark.parametrize("code", list(codes()), ids=_ids)
def test_every_title_is_one_short_line(code: Code) -> None:
    """A title fits a small mail program's list and never holds the ref's brackets."""
    for content in contents_of(code):
        if isinstance(content, Phrase):
            continue
        title = render_title(content)
        assert 0 < len(title) <= TITLE_LENGTH
        assert "\n" not in title
        assert render_subject(content) == f"[4F7G2] {title}"


@pytest.mark.parametrize(
    "kind", ["launched", "scheduled", "asked", "done", "told", "refused", "notice", "phrase"]
)
def test_a_code_without_a_text_is_still_answered(kind: str) -> None:
    """The general sentence holds the code, the ref and, for a refusal, the example."""
    code = Code(kind, "from_the_future", (), (), {"example": "call mom"})
    for content in contents_of(code):
        if isinstance(content, Phrase):
            assert render_phrase(content) == "from_the_future"
            continue
        for budget in Budget:
            text = render(content, budget)
            assert "(from_the_future)" in text
            assert "4F7G2" in text
    if kind == "refused":
        refused = Refused("from_the_future", fields={"example": "call bob"})
        assert render(refused) == "Not done (from_the_future).\nTry: call bob"
        assert render(Refused("from_the_future")) == "Not done (from_the_future).\nTry: menu"


# --- what it looks like -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "budget", "text"),
    [
        (
            _LAUNCHED,
            Budget.FULL,
            (
                "Calling mom, +44 20 7946 0018, United Kingdom, London (Mon 09:00 there). "
                "Call 4F7.\n$0.06 a minute for both legs. If nobody answers there, the first "
                "minute of yours is free.\nYour phone (home) rings first. Answer it and press 1.\n"
                "To hang up: HANGUP 4F7"
            ),
        ),
        (
            _LAUNCHED,
            Budget.SMS160,
            (
                "Calling mom, +44 20 7946 0018 (Mon 09:00 there). 4F7. $0.06/min. "
                "Answer home, press 1."
            ),
        ),
        (_LAUNCHED, Budget.PAGER80, "Calling mom. 4F7. $0.06/min. Answer home, press 1."),
        (
            _RECEIPT,
            Budget.FULL,
            (
                "Your call with mom is over. Call 4F7, 1:05.\nhome: 1:10, $0.02\nmom: 1:05, $0.04\n"
                "Total $0.06. Balance $9.94.\nReply WHY 4F7 for the arithmetic."
            ),
        ),
        (
            _RECEIPT,
            Budget.SMS160,
            (
                "Your call with mom is over. Call 4F7, 1:05. home: 1:10, $0.02; mom: 1:05, $0.04. "
                "Total $0.06. Balance $9.94. Reply WHY 4F7 for the arithmetic."
            ),
        ),
        (_RECEIPT, Budget.PAGER80, _RECEIPT_80),
        (
            Refused("emergency", fields={"digits": "911"}),
            Budget.PAGER80,
            "This service cannot reach 911. Dial 911 on a phone NOW.",
        ),
        (
            _WHICH,
            Budget.FULL,
            (
                'Several names fit "bob". Question 4F7. Which one?\n1 Bob Smith, +44 20 7946 0018\n'
                "2 Bobby, +1 616-977-9933\nReply 4F7 1 for the first."
            ),
        ),
        (_WHICH, Budget.PAGER80, _WHICH_80),
    ],
)
def test_texts(content: Content, budget: Budget, text: str) -> None:
    """The texts that people see most, at each length."""
    assert render(content, budget, "Europe/London") == text


@pytest.mark.parametrize("code", ["receipt", "receipt_money", "b_busy", "a_not_accepted"])
@pytest.mark.parametrize("budget", Budget)
def test_a_receipt_keeps_ref_total_and_balance(code: str, budget: Budget) -> None:
    """However short, a receipt says which call, what it cost and what is left."""
    fields = {**_RECEIPT_FIELDS, "to": "The Łódź office of Mother & Sons (international)"}
    text = render(Notice(code, "4F7", fields), budget)
    assert all(part in text for part in ("4F7", "$0.06", "$9.94")), text


def test_the_challenge_names_number_and_code() -> None:
    """The mail to the address on file says what was asked and how to say yes."""
    asked = Asked("challenge", "4F7", fields={"to": "+44…0018", "secret": "881342"})
    text = "Somebody asked us to call +44...0018 for you. You? GO 4F7 881342"
    assert render(asked, Budget.PAGER80) == text


def test_a_name_that_is_its_number_is_said_once() -> None:
    """A call to a bare number does not show the number twice."""
    fields = {**_LAUNCHED.fields, "to": "+44 20 7946 0018"}
    text = render(Launched("call_launched", "4F7", "call_1", fields))
    assert text.count("+44 20 7946 0018") == 1


def test_why_a_scheduled_call_was_refused_is_a_sentence_within() -> None:
    """A refusal inside a notice is its reason only, without the example."""
    reason = Phrase("no_call_running", {"example": "call mom"})
    fields: dict[str, Value] = {"at": Instant(_NOV_23, "UTC"), "why": (reason,)}
    text = render(Notice("schedule_refused", "4F7", fields), Budget.SMS160)
    assert "No call of yours is running, so nothing was done. To see" in text


def test_a_cut_list_says_more() -> None:
    """As many lines as fit, then MORE; everything at full length, then how to go on."""
    row = Phrase("directory_row", {"name": "Wolfgang Amadeus", "number": Phone("+442079460018")})
    told = Told("directory", rows=(row,) * 5, more=True, fields={"count": 9, "prefix": ""})
    assert render(told, Budget.PAGER80).endswith(" MORE")
    assert render(told, Budget.PAGER80).count("Wolfgang Amadeus") == 3
    full = render(told)
    assert full.count("Wolfgang Amadeus, +44 20 7946 0018") == 5
    assert "Reply MORE for the rest." in full


def test_an_empty_list_says_so() -> None:
    """No lines is an answer too, with a next step."""
    told = Told("next", fields={"count": 0})
    assert render(told, Budget.PAGER80) == "Nothing is scheduled. Try: call mom at 6pm"


def test_user_text_is_not_a_template() -> None:
    """Braces and brackets that people write are shown, never filled in."""
    refused = Refused("name_unknown", fields={"name": "[{ref}]>>", "example": "dir"})
    assert '"[{ref}]>>"' in render(refused)


def test_a_value_that_cannot_be_shortened_gives_way_as_a_whole() -> None:
    """What no wording can hold is cut between words, and still fits."""
    digits = "1234 " * 40
    refused = Refused("emergency", fields={"digits": digits})
    assert septet_length(render(refused, Budget.PAGER80)) <= 80
    phrase = Phrase("why_row", {"text": digits})
    assert septet_length(render_phrase(phrase, "UTC", Budget.PAGER80)) <= 80
    assert len(render_title(refused)) <= TITLE_LENGTH


def test_the_mark_of_a_test_counts() -> None:
    """TEST stands first and is part of the budget."""
    text = render(_RECEIPT, Budget.PAGER80, test=True)
    assert text.startswith("TEST ")
    assert septet_length(text) <= Budget.PAGER80
    assert render(Done("locked", "4F7"), test=True).startswith("TEST Locked")


def test_a_subject_without_a_call_has_no_brackets() -> None:
    """`[4F7] ` stands before the title only when there is a call."""
    assert render_subject(_LAUNCHED) == "[4F7] Calling mom"
    assert render_subject(Done("opted_in")) == "Messages are on"


# --- the menu -----------------------------------------------------------------------------------


def test_the_menu_is_the_table_of_verbs() -> None:
    """Every verb that works is listed at full length; a topic shows its examples."""
    menu = render(Told("menu", fields={"topic": ""}))
    assert "balance: what is left" in menu
    assert "topup" not in menu
    assert "call mom in 10" in render(Told("menu", fields={"topic": "call"}))
    assert len(menu_rows("no such verb")) == len(menu_rows()) == len(menu_rows("topup"))


@pytest.mark.parametrize("budget", _SHORT)
def test_a_small_menu_shows_what_is_needed_first(budget: Budget) -> None:
    """As many commands as fit, without MORE, which would show nothing."""
    text = render(Told("menu", fields={"topic": ""}), budget)
    assert "call mom" in text
    assert "MORE" not in text
    assert septet_length(text) <= budget
