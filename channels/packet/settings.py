"""Settings of the packet listener."""

from pydantic import Field

from channels.kit.contract import ChannelSettings


class PacketSettings(ChannelSettings):
    """Settings of the packet listener."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=4445, ge=0, le=65535, description="UDP port; 0 takes a free one")
    clock_tolerance_s: int = Field(
        default=120, ge=1, le=600, description="a device whose clock is further off is told so"
    )
    per_second_per_peer: int = Field(
        default=50, ge=1, description="datagrams a second from one address; more get silence"
    )
    max_pending: int = Field(
        default=1000, ge=1, description="datagrams worked on at once; more get silence"
    )
    drain_s: float = Field(default=5.0, gt=0, description="longest wait for them at the stop")
