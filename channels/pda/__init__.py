"""Channel `pda`: pages for organizers: Palm Web Clipping, and 240 pixels for Pocket PCs.

HTML 3.2 without script. Signed in with a password or a one-time code; no cookies, the session is
sealed in the body of every POST. The device id that Palm's proxy can fill in proves nothing and is
not asked for.
"""

from channels.pda.channel import PdaChannel

channel = PdaChannel
