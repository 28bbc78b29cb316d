"""Text messages by Twilio: a signed webhook in, its REST interface out.

Twilio Messaging, API version 2010-04-01; messages go out through Twilio's own package. A webhook is
believed when its signature is right (`parsers.twilio_signature`), whatever its peer; a carrier
vouches for the number of a sender and nobody for the person: VOUCHED.

200 is said after the commit and never before, with empty TwiML: what there is to say goes out
through the outbox, so that Twilio's second try says nothing twice, and by MessageSid it is the same
request. Twilio itself tries again only when it is told to, in the address that it is given:

    https://calls.example.com/sms/twilio#rc=3&rp=all

Give it that address, and the same as the fallback URL.
"""

from channels.twilio_sms.channel import TwilioChannel

channel = TwilioChannel
