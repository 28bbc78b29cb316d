"""One call followed: a small packet every two seconds until it is over, then its bill."""

from collections.abc import Awaitable, Callable

from channels.packet.client import PacketClient
from channels.packet.errors import NoAnswerError
from parsers.packet import CallState, PacketAnswer, Status

EVERY_S = 2.0
MOST_SILENCES = 3


async def follow(
    client: PacketClient,
    ref: str,
    show: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]],
) -> PacketAnswer:
    """Show who is in a call until it is over.

    Args:
        client: what launched it.
        ref: the call's.
        show: told one line at every change; it takes the place of the line before.
        sleep: waits some seconds.

    Returns:
        The answer to `status REF` once the call is over.

    Raises:
        NoAnswerError: the server went silent; the call may go on.
    """
    shown, silences = "", 0
    while True:
        await sleep(EVERY_S)
        try:
            answer = await client.ask(f"who {ref}")
        except NoAnswerError:
            silences += 1
            if silences >= MOST_SILENCES:
                raise
            continue
        silences = 0
        if answer.state is not CallState.LIVE:
            return await client.ask(f"status {ref}")
        if answer.text != shown and answer.status is not Status.LATER:
            shown = answer.text
            show(shown)
