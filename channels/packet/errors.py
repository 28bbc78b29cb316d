"""What a client meets when there is no answer."""


class NoAnswerError(Exception):
    """Nobody answered in time; the message is a sentence."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host} port {port} (UDP) does not answer. Is the server up, the address right, and "
            "the token one of this server's devices? Whether the command was done is not known."
        )
