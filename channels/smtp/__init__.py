"""Mail in by SMTP: a mail to us is a request, acknowledged when it is durable.

RFC 5321 with STARTTLS (3207) and AUTH PLAIN and LOGIN (4954) by aiosmtpd; RFC 3834 for mail that no
person wrote. Who wrote is known, surest first, by AUTH; by a peer in `trusted_networks`; by the
Authentication-Results of our border server in `relay_networks`; by DKIM, SPF and DMARC evaluated
here (`verify`, extra mailauth). Anybody else only claims to be somebody, and rings nobody.

250 is said after the commit and never before; every failure of ours is 451, so the sender's server
tries again, and the Message-ID makes the second try the same request.
"""

from channels.smtp.channel import SmtpChannel

channel = SmtpChannel
