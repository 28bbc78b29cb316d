"""What we say on the wire; 4xx is ours and temporary, 5xx is theirs and final.

A reply is one line of ASCII. The outcome itself goes back as a mail.
"""

ACCEPTED = "250 2.0.0 Accepted"
DROPPED = "250 2.0.0 Taken, and neither acted on nor answered: it is automatic mail"
UNKNOWN_SENDER = "550 5.7.1 This address may not launch calls here; ask your administrator"
EMERGENCY = "550 5.7.1 This service cannot reach {digits}. Dial {digits} on a phone NOW"
SAME_ID = "550 5.7.1 Another mail with this Message-ID was here before; nothing was done"
UNREADABLE = "550 5.6.0 This mail is not well formed and cannot be acted on ({code})"
TOO_LARGE = "552 5.3.4 This mail is too large"
NOT_OURS = "550 5.1.1 Not an address of this service; nothing is relayed"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
STOPPING = "421 4.3.2 Shutting down, try again later"
LOOKUP_FAILED = "451 4.7.5 Cannot check the sender now, try again later"
FAILED = "451 4.3.0 {text}"
TOO_MANY_CONNECTIONS = "421 4.7.0 Too many connections, try again later"
ENDLESS = "552 5.3.4 Far too much data, goodbye"
AUTH_LATER = "454 4.7.0 Cannot check passwords now, try again later"
