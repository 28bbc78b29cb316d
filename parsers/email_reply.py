"""What a person wrote just now: the words above signatures, quotes and forwarded mail.

A signature holds telephone numbers, and so does a quoted mail; neither must ever be dialled. Our
own rules go first, line by line and in linear time; then mail-parser-reply takes off sign-offs and
disclaimers in a dozen languages. Its patterns are quadratic, so it sees only what holds one of its
own words, and no more than a page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailparser_reply.constants import MAIL_LANGUAGES
from mailparser_reply.parser import EmailMessage as ReplyParser

TEXT_LENGTH_LIMIT = 16_384  # characters of a body that are looked at
REPLY_PARSER_LIMIT = 1_024  # characters that mail-parser-reply is given; 1,024 cost 60 ms at worst
RULE_LENGTH_LIMIT = 300  # longer lines are neither signatures nor attributions

_LANGUAGES = ("en", "de", "cs", "da", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv", "zh")

# Lines that a device or its carrier adds, at the start of a line.
_DEVICE_LINE = re.compile(
    r"sent (?:from|via|with|by|wirelessly|using) |sent on the go|get outlook for "
    r"|from my (?:iphone|ipad|ipod|blackberry|android|samsung|galaxy|nokia|htc|palm|treo|windows"
    r"|verizon|t-mobile|mobile device|handheld|wireless)"
    r"|enviado (?:desde|do|de|a partir) |envoyé (?:depuis|de|à partir) |inviato da"
    r"|gesendet (?:von|mit) |von meinem .{1,60} gesendet|diese nachricht wurde .{0,60}gesendet"
    r"|send[tr]? fra min|verzonden (?:met|vanaf|via) |verstuurd (?:vanaf|met|via) "
    r"|skickat från |(?:mitt? )?meddelande från min |wysłano z |lähetetty "
    r"|отправлено с "  # noqa: RUF001  (Russian)
    r"|從我的|从我的|發自我的|发自我的|iphoneから送信",
    re.IGNORECASE,
)
_DELIMITER = re.compile(r"[-_=+~#*]{2,}")
_DASHED_NAME = re.compile(r"-{1,2}[^\W\d_].*")
# `-----Original Message-----`, `---------- Forwarded message ---------`, in any language.
_BANNER = re.compile(r"(?:-{2,}|={2,}|_{2,}) ?[^-=_].{1,60}[^-=_] ?(?:-{2,}|={2,}|_{2,})")
_BEGIN_FORWARD = re.compile(
    r"begin forwarded message:?|anfang der weitergeleiteten (?:e-mail|nachricht):?"
    r"|début du message (?:réexpédié|transféré) ?:?|inicio del mensaje reenviado:?"
    r"|início da mensagem (?:reencaminhada|encaminhada):?|inizio messaggio inoltrato:?"
    r"|begin doorgestuurd bericht:?|vidarebefordrat brev:?|start på videresendt besked:?",
    re.IGNORECASE,
)

# How the line before a quote begins, and which verb makes it one. It ends in a colon.
_ATTRIBUTIONS = (
    (("on ",), ("wrote",)),
    (("am ", "von "), ("schrieb",)),
    (("le ",), ("a écrit",)),
    (("el ",), ("escribió",)),
    (("em ", "no dia "), ("escreveu",)),
    (("il ", "in data "), ("ha scritto",)),
    (("op ",), ("schreef", "heeft geschreven", "het volgende geschreven")),
    (("den ", "man", "tir", "ons", "tor", "fre", "lør", "lör", "søn", "sön"), ("skrev",)),
    (("dnia ", "w dniu ", "pon", "wt", "śr", "czw", "pt", "sob", "niedz"), ("napisał",)),
    (("dne ", "po ", "út ", "st ", "čt ", "pá ", "so ", "ne "), ("napsal",)),
    (("在", "于", "於"), ("写道", "寫道")),
    (tuple("0123456789"), ("wrote", "schrieb", "skrev", "написал", "пишет", "写道", "寫道")),
)
_ISO_ATTRIBUTION = re.compile(r"\d{4}-\d{2}-\d{2} [^<]{1,100}<[^<>]{3,100}>:")
_ATTRIBUTION_LINES = 3

_FROM_LABELS = ("from", "von", "de", "da", "van", "från", "fra", "od", "от", "发件人", "寄件者")
_PROOF_LABELS = (
    *("sent", "date", "subject", "gesendet", "datum", "betreff", "envoyé", "date", "objet"),
    *("enviado", "fecha", "asunto", "data", "assunto", "enviada em", "inviato", "oggetto"),
    *("verzonden", "onderwerp", "skickat", "ämne", "sendt", "emne", "wysłano", "temat"),
    *("дата", "тема", "发送时间", "主题", "寄件日期", "主旨"),
)
_LABEL = re.compile(r"[*\s]*([^\W\d_][\w ]{0,20}?)\s?[*]*\s?[:：]\s?[*]*\s*(.*)")  # noqa: RUF001  (the Chinese colon)
_HEADER_BLOCK_LINES = 6


# What a quote's or a signature's first line begins with, whatever the rules below say of the rest.
# Most lines begin otherwise, and are looked at no further.
_MARK = re.compile(
    "|".join(
        (
            "[->=_+~#*]",
            _DEVICE_LINE.pattern,
            _BEGIN_FORWARD.pattern,
            *(re.escape(start) for starts, _ in _ATTRIBUTIONS for start in starts),
            *map(re.escape, _FROM_LABELS),
        )
    ),
    re.IGNORECASE,
)

# Without one of these mail-parser-reply finds nothing: a sign-off begins a line, a quote's header
# has a colon, and a disclaimer speaks of the mail. It takes blanks of any kind for a space.
_SIGN_OFFS = "|".join(
    words.replace(" ", r"[\s\u200b]")
    for language in _LANGUAGES
    for words in (
        *MAIL_LANGUAGES[language].get("signatures", ()),
        MAIL_LANGUAGES[language]["sent_from"],
    )
    if words
)
_SIGN_OFF = re.compile(rf"\n[> ]*(?:{_SIGN_OFFS})", re.IGNORECASE)
_COLONS = (":", "：")  # noqa: RUF001  (the Chinese colon)
_MAIL = "mail"

_BLANKS = re.compile(r"[ \t]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_LIST_VERB = re.compile(r"(?:conf|add)", re.IGNORECASE)
_FORM_LINE = re.compile(r"(?:from|to)\s?:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NewWords:
    """The text that is the sender's own, and whether something quoted or forwarded followed."""

    text: str
    quoted: bool


def new_words(text: str) -> NewWords:
    """Return the sender's own words of a plain text body.

    Words above the first quote count; when there are none (the answer stands below the quote), the
    words below the last quoted line. Only the first `TEXT_LENGTH_LIMIT` characters are read.
    """
    head = text[:TEXT_LENGTH_LIMIT]
    if "\t" in head or "  " in head:
        head = _BLANKS.sub(" ", head)
    lines = [line.strip() for line in head.split("\n")]
    above, rest = _split_at_mark(lines)
    if rest and not any(above):
        above = _below_quote(rest)
    return NewWords(_without_sign_off(_tidy(above)), bool(rest))


def _tidy(lines: Sequence[str]) -> str:
    """Join lines; runs of blank lines cost mail-parser-reply a second per two thousand."""
    text = "\n".join(lines)
    return (_BLANK_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def _split_at_mark(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines above the first mark, and those from a quote's mark on ([] otherwise)."""
    dashes_sign = _dashes_sign(lines)
    for at, line in enumerate(lines):
        if not may_be_mark(line):
            continue
        if _begins_quote(lines, at):
            return list(lines[:at]), list(lines[at:])
        if _begins_signature(line, dashes_sign=dashes_sign):
            rest = list(lines[at + 1 :])
            quoted = any(
                _begins_quote(rest, later) for later, each in enumerate(rest) if may_be_mark(each)
            )
            return list(lines[:at]), ["", *rest] if quoted else []
    return list(lines), []


def may_be_mark(line: str) -> bool:
    """Whether a line without blanks around it begins as a quote or a signature does."""
    return _MARK.match(line) is not None


def _below_quote(rest: Sequence[str]) -> list[str]:
    """Return the words below the last `>` line, up to the next mark; [] when nothing is quoted."""
    last = max((at for at, line in enumerate(rest) if line.startswith(">")), default=None)
    return [] if last is None else _split_at_mark(rest[last + 1 :])[0]


def _begins_quote(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    if line.startswith(">"):
        return True
    if len(line) > RULE_LENGTH_LIMIT:
        return False
    return (
        _BANNER.fullmatch(line) is not None
        or _BEGIN_FORWARD.fullmatch(line) is not None
        or _is_attribution(lines, at)
        or _is_header_block(lines, at)
    )


def _begins_signature(line: str, *, dashes_sign: bool) -> bool:
    if len(line) > RULE_LENGTH_LIMIT:
        return False
    if _DELIMITER.fullmatch(line) or _DEVICE_LINE.match(line):
        return True
    return dashes_sign and _DASHED_NAME.fullmatch(line) is not None


def _dashes_sign(lines: Sequence[str]) -> bool:
    """Whether a line `-Bob` is a signature: not in a list of several, nor of a conference."""
    first = next(filter(None, lines), "")
    return sum(line.startswith("-") for line in lines) == 1 and not _LIST_VERB.match(first)


def _is_attribution(lines: Sequence[str], at: int) -> bool:
    """Whether `On …, Bob wrote:` begins here; mail programs wrap it over up to three lines."""
    lowered = lines[at].lower()
    verbs = [
        verb for starts, names in _ATTRIBUTIONS if lowered.startswith(starts) for verb in names
    ]
    if not verbs:
        return False
    joined = ""
    for line in lines[at : at + _ATTRIBUTION_LINES]:
        joined = f"{joined} {line[:RULE_LENGTH_LIMIT]}".strip()
        if joined.endswith((":", "：")):  # noqa: RUF001  (the Chinese colon)
            lowered = joined.lower()
            return any(verb in lowered for verb in verbs) or bool(
                _ISO_ATTRIBUTION.fullmatch(joined)
            )
    return False


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """Whether Outlook's `From: … Sent: … To: … Subject: …` begins here.

    The command form `From: 415 555 1212`, `To: 212 555 1212` is none: it says neither when nor what
    about, and no mail address.
    """
    first = _LABEL.fullmatch(lines[at])
    if first is None or first.group(1).lower() not in _FROM_LABELS:
        return False
    following = [
        _LABEL.fullmatch(line[:RULE_LENGTH_LIMIT])
        for line in lines[at + 1 : at + _HEADER_BLOCK_LINES]
    ]
    return "@" in first.group(2) or any(
        label.group(1).lower() in _PROOF_LABELS for label in following if label is not None
    )


def _without_sign_off(text: str) -> str:
    """Take off `Best regards …` and disclaimers, by mail-parser-reply.

    It would empty the command form and needs no look at a single line. Of a longer text it sees the
    first `REPLY_PARSER_LIMIT` characters; the rest stays when it found nothing in them.
    """
    if "\n" not in text or _FORM_LINE.match(text):
        return text
    head = text[:REPLY_PARSER_LIMIT]
    if not _may_be_signed_off(head):
        return text
    parser = ReplyParser(text=head, languages=list(_LANGUAGES), keep_hyphen_lists=True)
    replies = parser.read().replies
    words: str = replies[0].body
    return text if words == parser.text.strip() else words


def _may_be_signed_off(text: str) -> bool:
    return (
        any(colon in text for colon in _COLONS)
        or _MAIL in text.lower()
        or _SIGN_OFF.search(f"\n{text}") is not None
    )
