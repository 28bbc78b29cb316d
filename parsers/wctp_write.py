"""From operations and answers to WCTP documents: strictly in the order of the DTDs.

Codes and texts stand in attributes and as text, because some clients read only one of them.
`deliveryPriority` is always written: one library fails without it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from parsers.wctp import (
    DTD_URLS,
    ClientQuery,
    Code,
    Control,
    Lookup,
    Message,
    Operation,
    Payload,
    Poll,
    StatusInfo,
    Version,
    VersionQuery,
    WctpError,
    format_time,
)

_REPLACED: Final = "?"  # what XML 1.0 cannot carry
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEADERS: Final = {
    "SubmitRequest": "SubmitHeader",
    "SubmitClientMessage": "SubmitClientHeader",
    "SendMsgMulti": "MsgMultiHeader",
    "MessageReply": "ResponseHeader",
}
_CONTROLS: Final = {
    "SubmitClientMessage": "ClientMessageControl",
    "SendMsgMulti": "MsgMultiControl",
    "LookupSubscriber": "LookupMessageControl",
    "DeviceLocation": "DeviceLocationControl",
}
_ANSWERS: Final = {
    "SubmitClientMessage": "SubmitClientResponse",
    "ClientQuery": "ClientQueryResponse",
    "PollForMessages": "PollResponse",
    "VersionQuery": "VersionResponse",
    "SendMsgMulti": "SendMsgMultiResponse",
    "DeviceLocation": "DeviceLocationResponse",
}
"""Operations that are not answered with a Confirmation."""


def document(
    content: str, version: Version = Version.V1_3, token: str = "", *, bare: bool = False
) -> bytes:
    """Return a whole document around one operation or answer.

    With `bare` the encoding and the DOCTYPE are left out, for peers that refuse them; the octets
    are then ASCII, whatever is in the text.
    """
    named = {"wctpVersion": str(version), "wctpToken": token or None}
    body = element("Operation", named, content)
    if bare:
        return f'<?xml version="1.0"?>\r\n{body}\r\n'.encode("ascii", "xmlcharrefreplace")
    doctype = f'<!DOCTYPE wctp-Operation SYSTEM "{DTD_URLS[version]}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\r\n{doctype}\r\n{body}\r\n'.encode()


def element(name: str, attributes: Mapping[str, object], content: str = "") -> str:
    """Return one element; attributes that are None are left out."""
    written = "".join(
        f" {key}={quoteattr(_clean(str(value)))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<wctp-{name}{written}>{content}</wctp-{name}>"


def words(text: str) -> str:
    """Return text as content."""
    return escape(_clean(text), {"\r": "&#13;"})


def _clean(text: str) -> str:
    return _NOT_XML.sub(_REPLACED, text)


# --- operations ---------------------------------------------------------------------------------


def operation(content: Operation, version: Version = Version.V1_3) -> str:
    """Return the element of an operation."""
    match content:
        case Message():
            return message(content, version)
        case StatusInfo():
            return status_info(content)
        case Poll(poller, code, most, received):
            named = {"pollerID": poller, "securityCode": code, "maxMessagesInBatch": most}
            return element("PollForMessages", named, "".join(map(_received, received)))
        case ClientQuery(sender, recipient, tracking):
            query = {"senderID": sender, "recipientID": recipient, "trackingNumber": tracking}
            return element("ClientQuery", query)
        case Lookup():
            return _lookup(content)
        case VersionQuery(inquirer, asked_at):
            return element("VersionQuery", {"inquirer": inquirer, "dateTime": asked_at})
        case _:
            return element("ReturnToSvc", {}, words(content.address))


def message(sent: Message, version: Version = Version.V1_3) -> str:
    """Return the element of words that somebody sends."""
    is_client, is_reply = sent.operation == "SubmitClientMessage", sent.operation == "MessageReply"
    header: dict[str, object] = {}
    stamp = None if sent.submitted_ms is None else format_time(sent.submitted_ms)
    if is_reply:
        header = {"responseToMessageID": sent.response_to, "responseTimestamp": stamp}
    else:
        header = {"submitTimestamp": stamp}
    if is_client:
        who = element(
            "ClientOriginator",
            {"senderID": sent.sender_id, "miscInfo": sent.security_code or None},
        )
    else:
        who = _originator(sent.sender_id, sent.security_code, sent.misc_info)
    parts = who + _control(sent) + "".join(map(_recipient, sent.recipients))
    named = {"MCRMessageReply": "true" if sent.is_choice else "false"} if is_reply else {}
    if version in {Version.V1_0, Version.V1_1}:
        named = {}
    body = element(_HEADERS[sent.operation], header, parts) + _payload(sent.payload, version)
    return element(sent.operation, named, body)


def _originator(sender: str, code: str, misc_info: str = "") -> str:
    named = {"senderID": sender, "securityCode": code or None, "miscInfo": misc_info or None}
    return element("Originator", named)


def _recipient(address: str) -> str:
    return element("Recipient", {"recipientID": address})


def _control(sent: Message) -> str:
    control: Control = sent.control
    named: dict[str, object] = {}
    if sent.operation != "SubmitClientMessage":
        named = {
            "messageID": control.message_id,
            "transactionID": control.transaction_id or None,
        }
    named["sendResponsesToID"] = control.send_responses_to or None
    named["allowResponse"] = "true" if control.allow_response else "false"
    for kind in ("Queued", "Delivered", "Read"):
        named[f"notifyWhen{kind}"] = "true" if kind.upper() in control.notify else "false"
    named["deliveryPriority"] = "NORMAL"
    named["deliveryAfter"] = _time(control.deliver_after_ms)
    named["deliveryBefore"] = _time(control.deliver_before_ms)
    return element(_CONTROLS.get(sent.operation, "MessageControl"), named)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else format_time(at_ms)


def _payload(payload: Payload, version: Version) -> str:
    if not payload.choices:
        return element("Payload", {}, element("Alphanumeric", {}, words(payload.text)))
    inside = element("MessageText", {}, words(payload.text))
    for choice in payload.choices:
        if version in {Version.V1_0, Version.V1_1} or not choice.reply:
            inside += element("Choice", {}, words(choice.shown))
            continue
        pair = element("SendChoice", {}, words(choice.shown))
        pair += element("ReplyChoice", {}, words(choice.reply))
        inside += element("ChoicePair", {}, pair)
    return element("Payload", {}, element("MCR", {}, inside))


def status_info(status: StatusInfo) -> str:
    """Return the element of a receipt or a late failure."""
    control = element(
        "MessageControl", {"messageID": status.message_id, "deliveryPriority": "NORMAL"}
    )
    who = _originator(status.sender_id, status.security_code)
    header = {"responseToMessageID": status.response_to}
    inside = element("ResponseHeader", header, who + control + _recipient(status.recipient_id))
    if status.notification:
        inside += element("Notification", {"type": status.notification})
    else:
        inside += failure(status.error, status.error_text)
    return element("StatusInfo", {}, inside)


def _received(received: tuple[str, bool]) -> str:
    number, well = received
    inside = success("Received") if well else failure(Code.INTERNAL, "Not taken")
    return element("MessageReceived", {"sequenceNo": number}, inside)


def _lookup(asked: Lookup) -> str:
    control: dict[str, object] = {
        "messageID": asked.message_id,
        "transactionID": asked.transaction_id or None,
    }
    if asked.operation == "DeviceLocation":
        control["fixType"] = asked.fix_type
    who = _originator(asked.sender_id, asked.security_code)
    inside = who + element(_CONTROLS[asked.operation], control) + _recipient(asked.recipient_id)
    return element(asked.operation, {}, inside)


# --- answers ------------------------------------------------------------------------------------


def success(text: str, code: int = Code.ACCEPTED) -> str:
    """Return a success, with its text in both places."""
    return element("Success", {"successCode": int(code), "successText": text}, words(text))


def failure(code: int, text: str) -> str:
    """Return a failure, with its text in both places."""
    return element("Failure", {"errorCode": int(code), "errorText": text}, words(text))


def confirmation(inside: str) -> str:
    """Return the usual answer."""
    return element("Confirmation", {}, inside)


def refusal(error: WctpError, responder: str) -> str:
    """Return the answer to what cannot be acted on, in the element that the operation wants."""
    inside = failure(error.code, error.text)
    name = _ANSWERS.get(error.operation, "Confirmation")
    if name == "VersionResponse":
        return element(name, {"responder": responder}, inside)
    if name == "SendMsgMultiResponse":
        return element(name, {"maxNumRecips": 1}, inside)
    if name == "DeviceLocationResponse":
        who = _originator(responder, "") + _recipient(responder)
        return element(name, {"responseToMessageID": ""}, who + inside)
    return element(name, {}, inside)


def client_success(text: str, tracking_number: str) -> str:
    """Return the answer to a transient client; never without text, which one client needs."""
    named = {
        "successCode": int(Code.ACCEPTED),
        "successText": text,
        "trackingNumber": tracking_number,
    }
    return element("SubmitClientResponse", {}, element("ClientSuccess", named, words(text) or "-"))


def client_reply(query: ClientQuery, text: str, at_ms: int, interval_s: int) -> str:
    """Return the answer to a query: the words that its message was answered with."""
    header = element(
        "ClientResponseHeader",
        {"responseTimestamp": format_time(at_ms)},
        _originator(query.recipient_id, "") + _recipient(query.sender_id),
    )
    body = header + _payload(Payload(text), Version.V1_3)
    inside = element("ClientMessage", {}, element("ClientMessageReply", {}, body))
    return element("ClientQueryResponse", {"minNextPollInterval": interval_s}, inside)


def poll_response(messages: Sequence[tuple[int, str]], interval_s: int) -> str:
    """Return what waits for a poller, `(sequence number, element)`."""
    inside = "".join(element("Message", {"sequenceNo": number}, it) for number, it in messages)
    named = {"minNextPollInterval": interval_s}
    return element("PollResponse", named, inside or element("NoMessages", {}))


def lookup_response(asked: Lookup, longest: int) -> str:
    """Return what a recipient here can take."""
    data = {"maxMessageLength": longest, "mcrSupported": "true", "canRespond": "true"}
    return _about(asked, "LookupResponse", element("LookupData", data))


def location_response(asked: Lookup, inside: str) -> str:
    """Return where a device is, which here is always a failure."""
    return _about(asked, "DeviceLocationResponse", inside)


def _about(asked: Lookup, name: str, inside: str) -> str:
    named = {
        "responseToMessageID": asked.message_id,
        "transactionID": asked.transaction_id or None,
    }
    who = _originator(asked.recipient_id, "") + _recipient(asked.sender_id)
    return element(name, named, who + inside)


def version_response(query: VersionQuery, responder: str, now_ms: int) -> str:
    """Return which versions are spoken here: 1.0 is deprecated."""
    rows = "".join(
        element(
            "DTDSupport",
            {
                "dtdName": str(version),
                "supportType": "Deprecated" if version is Version.V1_0 else "Supported",
                "replacement": str(Version.V1_3) if version is Version.V1_0 else None,
            },
        )
        for version in Version
    )
    named = {
        "responder": responder,
        "dateTimeOfRsp": format_time(now_ms),
        "inquirer": query.inquirer,
        "dateTimeOfReq": query.asked_at or None,
    }
    return element("VersionResponse", named, rows)


def multi_response(
    valid: int, invalid: Sequence[tuple[str, Code, str]], most: int, inside: str
) -> str:
    """Return the answer to a message for many; `invalid` are `(address, code, text)`."""
    failed = "".join(
        element("FailedRecipient", {"recipientID": who, "errorCode": int(code), "errorText": text})
        for who, code, text in invalid
    )
    named = {
        "maxNumRecips": most,
        "numValidRecips": valid,
        "numInvalidRecips": len(invalid),
    }
    return element("SendMsgMultiResponse", named, inside + failed)
