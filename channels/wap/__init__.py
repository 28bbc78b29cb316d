"""Channel `wap`: decks and pages for telephones that browse.

WML 1.1, XHTML Mobile Profile or HTML 3.2, whichever the telephone asks for. Signed in with a
password or a one-time code; no cookies, the session is sealed in the body of every POST.
"""

from channels.wap.channel import WapChannel

channel = WapChannel
