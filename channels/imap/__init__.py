"""Mail in from mailboxes that are read over IMAP: a mail to us is a request.

RFC 9051 and 3501 with IDLE (2177), MOVE (6851) and UIDPLUS (4315) by imapclient; the mail itself is
read as the SMTP channel reads it, and one mail that came both ways is one request. Who wrote is
known by the Authentication-Results of the mailbox's own server (`authserv_id`), or by DKIM and
DMARC evaluated here (`verify`, extra mailauth). Anybody else only claims to be somebody.

A mail is moved away after its outcome was committed and never before; until then it stays as it
came, unseen, so whatever fails on the way happens again and the Message-ID makes it the same
request.
"""

from channels.imap.channel import ImapChannel

channel = ImapChannel
