"""Small packets over UDP: a desktop client asks in one sealed datagram and is answered in one.

The format is our own (`parsers.packet`): at most 512 octets in, 256 out. A device is an API token
whose label begins with `packet `; its key is made of the token's hash, so neither the token nor
anything that it can be made of travels. Whoever holds the key is PROVEN. Datagrams that do not open
get silence, a wrong clock is told the right time, and a repeat of a command's id gets the stored
outcome again, so a client may send until it is answered.
"""

from channels.packet.channel import PacketChannel

channel = PacketChannel
