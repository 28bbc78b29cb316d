"""Pagers by SNPP: a page to us is a request, answered on the line; and our pages to a carrier.

RFC 1861, levels 1 to 3. A two-way pager's owner logs in (`LOGI pager secret`, or `PAGE pager
secret`) with the generated secret of that pager: the door is authentic, the person is not known
(VOUCHED). The secret is in the clear unless the listener has a certificate, and is good for nothing
else.

    C: LOGI 5550100001 0f3kq7m2c9vx1b5n        S: 250 Logged in
    C: PAGE callgate                           S: 250 Pager accepted
    C: MESS call mom                           S: 250 Message accepted
    C: SEND                                    S: 250 Calling mom. 4F7. Answer your phone.

250 to SEND is said after the commit and never before; every failure of ours is 554. SNPP has no
message id, so the same login, pagers and words within a minute are the same request.
"""

from channels.snpp.channel import SnppChannel

channel = SnppChannel
