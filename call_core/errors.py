"""Three error roots; everything else that is raised is a defect of ours.

An error answers four questions: whose fault it is, whether a retry can help, who is told what,
and under which stable code. One place per channel acts on the answers (`channels.kit.contract`).
"""

from collections.abc import Mapping


class ParseError(Exception):
    """The bytes or the text that somebody sent cannot be read. Their side; a retry will not help.

    Attributes:
        code: stable name of the reason, a key of the catalogue (`channels.kit.catalogue`).
        fields: what the text of that reason needs, JSON values only.
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields: Mapping[str, object] = fields

    def __eq__(self, other: object) -> bool:
        """Two errors of the same reason and fields are the same answer."""
        return (
            isinstance(other, ParseError)
            and self.code == other.code
            and dict(self.fields) == dict(other.fields)
        )

    def __hash__(self) -> int:
        return hash(self.code)

    def __repr__(self) -> str:
        return f"ParseError({self.code!r}, {dict(self.fields)!r})"


class CallCoreError(Exception):
    """The core could not do its work now.

    Attributes:
        code: stable name of the reason.
        retryable: whether the same request may succeed later, unchanged.
    """

    code = "internal"
    retryable = True


class StoreUnavailable(CallCoreError):
    """The database does not answer or cannot write; nothing was committed."""

    code = "store_unavailable"


class Overloaded(CallCoreError):
    """More work waits than can be finished in time; nothing was accepted."""

    code = "overloaded"


class CommitUnknown(CallCoreError):
    """The commit was sent and its answer was lost: the work may or may not be there."""

    code = "commit_unknown"


class Fenced(CallCoreError):
    """Another node, or a newer unit, owns what this unit wanted to write."""

    code = "fenced"


class DeliveryError(Exception):
    """A message could not be handed to the next hop.

    Attributes:
        retryable: True for a temporary refusal; False when this address will never take it.
        uncertain: True when the message may have been taken although no answer came.
    """

    def __init__(self, reason: str, *, retryable: bool, uncertain: bool = False) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.uncertain = uncertain
