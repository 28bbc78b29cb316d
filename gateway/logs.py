"""Logs: one shape for our events, uvicorn's and every library's, masked as the last step.

JSON, one object a line, unless a person looks (`logs.format`). `call_id`, `request_id` and
`channel` are bound by context variables, so every line below `bound(...)` carries them.
"""

import logging
import sys
import textwrap
from contextlib import AbstractContextManager
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gateway.masking import mask_text, mask_value
from gateway.printable import printable, printable_line
from gateway.settings_sections import LogSettings

_PLAIN_KEYS = frozenset({"timestamp", "level"})
_LONG_KEYS = frozenset({"exception", "stack"})
_QUIET = {"uvicorn.access": logging.CRITICAL, "mail.log": logging.ERROR, "asyncio": logging.WARNING}


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every log event to a stream (standard error), masked and in the chosen format."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                mask,
                *_renderers(settings, out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def bound(
    *, call_id: str = "", request_id: str = "", channel: str = ""
) -> AbstractContextManager[None]:
    """Return a context in which every event carries the given names; empty ones are left out."""
    given = {"call_id": call_id, "request_id": request_id, "channel": channel}
    return structlog.contextvars.bound_contextvars(**{k: v for k, v in given.items() if v})


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide telephone digits and secrets in every key of an event (a structlog processor)."""
    event.pop("color_message", None)  # uvicorn's own copy of the event, for terminals
    return {
        mask_text(name): value if name in _PLAIN_KEYS else mask_value(value, name)
        for name, value in event.items()
    }


def single_lines(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Let no value act on a terminal or begin a line (a structlog processor).

    The renderer writes texts as they are, everything else by its `repr`. The lines of a traceback
    are indented, so that none of them looks like an event.
    """
    return {
        printable_line(name): _of_one_line(name, value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _of_one_line(name: str, value: str) -> str:
    if name in _LONG_KEYS:
        return textwrap.indent(printable(value), "  ")
    return printable_line(value)


def _renderers(settings: LogSettings, out: TextIO) -> list[Processor]:
    terminal = out.isatty()
    if settings.format == "json" or (settings.format == "auto" and not terminal):
        return [structlog.processors.JSONRenderer(default=lambda value: mask_text(repr(value)))]
    console = structlog.dev.ConsoleRenderer(
        colors=terminal, exception_formatter=structlog.dev.plain_traceback
    )
    return [single_lines, console]
