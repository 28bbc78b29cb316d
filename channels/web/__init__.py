"""Channel `web`: pages for people, the reference channel. It has no privileges over the others.

Signed in with a one-time code by mail or a password; the session is an opaque token in a cookie.
Works without script, by keyboard and by screen reader.
"""

from channels.web.channel import WebChannel

channel = WebChannel
