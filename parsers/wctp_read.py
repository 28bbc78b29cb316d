"""From a WCTP document to its operation: by names, not by order, with every limit that there is."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element

from parsers.wctp import (
    MAX_ADDRESS_CHARS,
    MAX_BATCH,
    MAX_CHOICE_CHARS,
    MAX_CHOICES,
    MAX_CODE_CHARS,
    MAX_MESSAGE_ID_CHARS,
    MAX_RECIPIENTS,
    MAX_TEXT_CHARS,
    MAX_TOKEN_CHARS,
    Choice,
    ClientQuery,
    Code,
    Control,
    Document,
    Lookup,
    Message,
    Operation,
    Payload,
    Poll,
    Result,
    ReturnToService,
    StatusInfo,
    Version,
    VersionQuery,
    WctpError,
    parse_time,
    version_of,
)
from parsers.wctp_xml import attribute, below, first, local_name, read_tree, text_of

_NOTIFICATIONS: Final = ("Queued", "Delivered", "Read")
_ORIGINATORS: Final = ("originator", "clientoriginator")
_CONTROLS: Final = (
    "messagecontrol",
    "clientmessagecontrol",
    "msgmulticontrol",
    "lookupmessagecontrol",
    "devicelocationcontrol",
)
_HEADERS: Final = ("submitheader", "submitclientheader", "msgmultiheader", "responseheader")
_MESSAGES: Final = ("SubmitRequest", "SubmitClientMessage", "SendMsgMulti", "MessageReply")
_LOOKUPS: Final = ("LookupSubscriber", "DeviceLocation")


@dataclass(frozen=True, slots=True)
class _At:
    """Where we are, for errors: the operation's name and the version of the answer."""

    name: str
    version: Version

    def error(self, code: Code, text: str) -> WctpError:
        return WctpError(code, text, self.name, self.version)


def read_document(body: bytes) -> Document:
    """Read what somebody posted.

    Raises:
        WctpError: with the code and the operation that the answer has to be about.
    """
    root = read_tree(body)
    if local_name(root) != "operation":
        raise WctpError(Code.INVALID, "The root has to be wctp-Operation")
    element = next(iter(root), None)
    name = _NAMES.get(local_name(element), "") if element is not None else ""
    version = version_of(attribute(root, "wctpVersion"))
    if version is None:
        raise WctpError(Code.VERSION, "Versions are 1.0 to wctp-dtd-v1r3", name)
    if element is None or not name:
        raise WctpError(Code.NOT_SUPPORTED, "No such operation here", name, version)
    token = attribute(root, "wctpToken")[:MAX_TOKEN_CHARS]
    return Document(_READERS[name](element, _At(name, version)), version, token)


def read_result(body: bytes) -> Result:
    """Read what a peer answered to us; whichever element it is in, its code counts.

    Raises:
        WctpError: there is no code in it.
    """
    root = read_tree(body)
    for element in root.iter():
        name = local_name(element)
        code = (attribute(element, "successCode") or attribute(element, "errorCode")).strip()
        if name in {"success", "clientsuccess", "failure"} and code.isdecimal():
            words = attribute(element, "successText") or attribute(element, "errorText")
            return Result(
                int(code[:9]), words or text_of(element), attribute(element, "trackingNumber")
            )
    raise WctpError(Code.INVALID, "An answer without success or failure")


# --- parts --------------------------------------------------------------------------------------


def _address(element: Element | None, name: str, code: Code, at: _At) -> str:
    value = attribute(element, name).strip()
    if not value or len(value) > MAX_ADDRESS_CHARS:
        raise at.error(code, f"{name} has 1 to {MAX_ADDRESS_CHARS} characters")
    return value


def _code(element: Element | None, name: str, at: _At) -> str:
    value = attribute(element, name).strip()
    if len(value) > MAX_CODE_CHARS:
        raise at.error(Code.SECURITY_CODE, f"{name} has at most {MAX_CODE_CHARS} characters")
    return value


def _message_id(text: str, at: _At) -> str:
    """Check an id; it is kept and echoed as it came, line breaks and all."""
    if len(text) > MAX_MESSAGE_ID_CHARS:
        raise at.error(Code.INVALID, f"Ids have at most {MAX_MESSAGE_ID_CHARS} characters")
    return text


def _instant(element: Element | None, name: str, at: _At) -> int | None:
    value = attribute(element, name).strip()
    if not value:
        return None
    found = parse_time(value)
    if found is None:
        raise at.error(Code.DATE, f"{name} is written 2026-11-20T19:00:00, in UTC")
    return found


def _is_true(element: Element | None, name: str, default: str) -> bool:
    return (attribute(element, name).strip() or default).lower() in {"true", "1", "yes"}


def _control(element: Element | None, at: _At) -> Control:
    return Control(
        message_id=_message_id(attribute(element, "messageID"), at),
        transaction_id=_message_id(attribute(element, "transactionID"), at),
        send_responses_to=attribute(element, "sendResponsesToID")[:MAX_ADDRESS_CHARS],
        allow_response=_is_true(element, "allowResponse", "true"),
        notify=frozenset(
            kind.upper()
            for kind in _NOTIFICATIONS
            if _is_true(element, f"notifyWhen{kind}", "false")
        ),
        deliver_after_ms=_instant(element, "deliveryAfter", at),
        deliver_before_ms=_instant(element, "deliveryBefore", at),
    )


def _payload(element: Element, at: _At) -> Payload:
    payload = first(element, "payload")
    if payload is None:
        words = attribute(element, "responseText")  # one gateway says it so
        if not words:
            raise at.error(Code.INVALID, "wctp-Payload is missing")
        return Payload(words[:MAX_TEXT_CHARS])
    kind = next(iter(payload), None)
    choices: tuple[Choice, ...] = ()
    if kind is None:
        text = text_of(payload)
    elif local_name(kind) == "mcr":
        text, choices = text_of(first(kind, "messagetext")), _choices(kind, at)
    elif local_name(kind) == "transparentdata":
        text = _transparent(kind, at)
    else:
        text = text_of(kind)
    if len(text) > MAX_TEXT_CHARS:
        raise at.error(Code.TOO_LONG, f"Messages have at most {MAX_TEXT_CHARS} characters")
    return Payload(text, choices)


def _choices(mcr: Element, at: _At) -> tuple[Choice, ...]:
    found = []
    for element in below(mcr, "choice", "choicepair"):
        if local_name(element) == "choice":
            found.append(Choice(text_of(element)[:MAX_CHOICE_CHARS]))
            continue
        shown, reply = first(element, "sendchoice"), first(element, "replychoice")
        found.append(Choice(text_of(shown)[:MAX_CHOICE_CHARS], text_of(reply)[:MAX_CHOICE_CHARS]))
    if len(found) > MAX_CHOICES:
        raise at.error(Code.TOO_MANY_CHOICES, f"At most {MAX_CHOICES} choices")
    return tuple(found)


def _transparent(element: Element, at: _At) -> str:
    """Return words that came as data: base64 by default, plain in 1.0."""
    default = "standard" if at.version is Version.V1_0 else "base64"
    text = text_of(element)
    if (attribute(element, "encoding") or default).lower() != "base64":
        return text
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise at.error(Code.BINARY, "Only text can be read here") from error
    if any(not c.isprintable() and not c.isspace() for c in decoded):
        raise at.error(Code.BINARY, "Only text can be read here")
    return decoded


# --- operations ---------------------------------------------------------------------------------


def _message(element: Element, at: _At) -> Message:
    originator, header = first(element, *_ORIGINATORS), first(element, *_HEADERS)
    control = _control(first(element, *_CONTROLS), at)
    is_reply, is_client = at.name == "MessageReply", at.name == "SubmitClientMessage"
    if not control.message_id and at.name in {"SubmitRequest", "SendMsgMulti"}:
        raise at.error(Code.INVALID, "messageID is missing")
    sender = _address(originator, "senderID", Code.SENDER, at)
    misc = _code(originator, "miscInfo", at)
    given = _code(originator, "securityCode", at)
    answered = attribute(header, "responseToMessageID") or attribute(element, "responseToMessageID")
    submitted = attribute(header, "responseTimestamp" if is_reply else "submitTimestamp")
    return Message(
        operation=at.name,
        sender_id=sender,
        security_code=(given or misc) if is_client else given,
        recipients=_recipients(element, at),
        payload=_payload(element, at),
        control=control,
        submitted_ms=parse_time(submitted) if submitted else None,
        response_to=_message_id(answered, at),
        is_choice=is_reply and _is_true(element, "MCRMessageReply", "false"),
        misc_info="" if is_client else misc,
    )


def _recipients(element: Element, at: _At) -> tuple[str, ...]:
    found = tuple(
        _address(each, "recipientID", Code.RECIPIENT, at) for each in below(element, "recipient")
    )
    if not found and at.name != "MessageReply":
        raise at.error(Code.RECIPIENT, "recipientID is missing")
    if len(found) > (MAX_RECIPIENTS if at.name == "SendMsgMulti" else 1):
        raise at.error(Code.RECIPIENT, f"At most {MAX_RECIPIENTS} recipients, by SendMsgMulti")
    return found


def _status(element: Element, at: _At) -> StatusInfo:
    originator, header = first(element, "originator"), first(element, *_HEADERS)
    failure = first(element, "failure")
    error = attribute(failure, "errorCode").strip()
    return StatusInfo(
        sender_id=_address(originator, "senderID", Code.SENDER, at),
        security_code=_code(originator, "securityCode", at),
        recipient_id=attribute(first(element, "recipient"), "recipientID")[:MAX_ADDRESS_CHARS],
        response_to=_message_id(attribute(header, "responseToMessageID"), at),
        message_id=_message_id(attribute(first(element, *_CONTROLS), "messageID"), at),
        notification=attribute(first(element, "notification"), "type").upper()[:MAX_CODE_CHARS],
        error=int(error[:9]) if error.isdecimal() else 0,
        error_text=attribute(failure, "errorText")[:MAX_ADDRESS_CHARS],
    )


def _poll(element: Element, at: _At) -> Poll:
    received = tuple(
        (attribute(each, "sequenceNo")[:MAX_CODE_CHARS], first(each, "failure") is None)
        for each in below(element, "messagereceived")
    )
    most = attribute(element, "maxMessagesInBatch").strip()
    return Poll(
        poller_id=_address(element, "pollerID", Code.POLLER, at),
        security_code=_code(element, "securityCode", at),
        most=min(int(most[:9]), MAX_BATCH) if most.isdecimal() and int(most[:9]) else MAX_BATCH,
        received=received,
    )


def _query(element: Element, at: _At) -> ClientQuery:
    return ClientQuery(
        sender_id=_address(element, "senderID", Code.SENDER, at),
        recipient_id=_address(element, "recipientID", Code.RECIPIENT, at),
        tracking_number=_code(element, "trackingNumber", at),
    )


def _lookup(element: Element, at: _At) -> Lookup:
    originator, control = first(element, "originator"), first(element, *_CONTROLS)
    return Lookup(
        operation=at.name,
        sender_id=_address(originator, "senderID", Code.SENDER, at),
        security_code=_code(originator, "securityCode", at),
        recipient_id=_address(first(element, "recipient"), "recipientID", Code.RECIPIENT, at),
        message_id=_message_id(attribute(control, "messageID"), at),
        transaction_id=_message_id(attribute(control, "transactionID"), at),
        fix_type=(attribute(control, "fixType") or "estimated").lower()[:MAX_CODE_CHARS],
    )


def _version(element: Element, at: _At) -> VersionQuery:
    asked = attribute(element, "dateTime")[:MAX_CODE_CHARS]
    return VersionQuery(_address(element, "inquirer", Code.INVALID, at), asked)


def _return(element: Element, at: _At) -> ReturnToService:
    address = text_of(element).strip()
    if not address or len(address) > MAX_ADDRESS_CHARS:
        raise at.error(Code.INVALID, "One address is needed")
    return ReturnToService(address)


_READERS: Final[Mapping[str, Callable[[Element, _At], Operation]]] = MappingProxyType(
    {
        **dict.fromkeys(_MESSAGES, _message),
        **dict.fromkeys(_LOOKUPS, _lookup),
        "StatusInfo": _status,
        "PollForMessages": _poll,
        "ClientQuery": _query,
        "VersionQuery": _version,
        "ReturnToSvc": _return,
    }
)
_NAMES: Final = MappingProxyType({name.lower(): name for name in _READERS})
