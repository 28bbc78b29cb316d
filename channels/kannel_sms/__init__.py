"""Text messages by Kannel: SMPP carriers and GSM modems, in and out.

Kannel's smsbox asks us over HTTP for every message that comes in, and sends what we post to its
sendsms (Kannel User's Guide 1.4.5, chapters 6 and 8); `deploy/kannel` holds its configuration.
smsbox does not sign, so a request is believed when it comes from a network on the list, straight
and not through a proxy, and knows the secret part of the path. A carrier vouches for the number of
a sender and nobody for the person: VOUCHED.

200 is said after the commit and never before. Anything else makes smsbox ask again, by which `%I`,
its id of the message, makes the second time the same request. The answer to that request is empty:
what there is to say goes out through the outbox and sendsms, so that it is said once.
"""

from channels.kannel_sms.channel import KannelChannel

channel = KannelChannel
