"""Pagers by WCTP: a message POSTed to /wctp is a request; answers are pushed or wait to be polled.

WCTP 1.0 to 1.3 over HTTP. A sender is known by `senderID` and `securityCode` (transient clients:
`miscInfo`), the generated secret of that address; a carrier may vouch for its pagers by a code of
its own (`inbound_code`). Both are VOUCHED: the door is authentic, the person is not known.

    C: <wctp-SubmitRequest>… senderID="5550100001" … messageID="42" … call mom …
    S: <wctp-Confirmation><wctp-Success successCode="200" …>

A Success is said after the commit and never before; every failure of ours is 6xx, always inside
HTTP 200, because some clients look no further. `(senderID, messageID)` is the request's id.
"""

from channels.wctp.channel import WctpChannel

channel = WctpChannel
