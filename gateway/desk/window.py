"""The window itself: FROM and TO lists, the running call with its roster, money, history.

It draws what `reading` says and sends what `reading` writes. The call is looked at once a second;
whatever fails becomes one sentence, and the window goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from channels.api.models import CallOut, DirectoryEntryOut, PartyOut, PhoneOut
from gateway.desk import reading
from gateway.desk.client import Answer, DeskClient, DeskError
from gateway.desk.question import QuestionScreen

EVERY_S = 1.0
MAX_LINE_CHARS = 400
_NO_PHONE = (
    "No phone of yours is on file, so nothing can be rung yet. Type verify cell 415 555 2671, or "
    "add one on the page of phones; then press Ctrl-R."
)
_PLACEHOLDER = "a name, a number, any line; Enter calls"

_STYLE = """
Screen { layout: vertical; }
#lists { height: 1fr; min-height: 6; }
#from-box { width: 36; border: round $primary; }
#to-box { width: 1fr; border: round $primary; }
#from-box:focus-within, #to-box:focus-within { border: round $accent; }
#from, #to { height: 1fr; border: none; padding: 0; }
#typed { border: none; height: 1; padding: 0 1; }
#call-box { height: 1fr; min-height: 6; border: round $secondary; }
#call-box:focus-within { border: round $accent; }
#roster { height: 1fr; }
#call { height: auto; max-height: 2; text-style: bold; padding: 0 1; }
#said { height: auto; max-height: 6; padding: 0 1; }
#said.error, #call.error { color: $error; }
#history { height: 1; color: $text-muted; padding: 0 1; }
QuestionScreen { align: center middle; }
#question { width: 70%; height: auto; border: thick $accent; padding: 1 2; background: $surface; }
#answers { height: auto; margin-top: 1; }
"""


class Desk(App[None]):
    """The desktop's window.

    Args:
        client: the gateway.
        every_s: how often the running call is looked at.
    """

    TITLE = "Callgate"
    CSS = _STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "go('from')", "From", priority=True),
        Binding("f3", "go('typed')", "To", priority=True),
        Binding("f4", "mark", "Mark", priority=True),
        Binding("f5", "hang_up", "Hang up", priority=True),
        Binding("f6", "add", "Add", priority=True),
        Binding("f7", "mute", "Mute", priority=True),
        Binding("f8", "drop", "Drop", priority=True),
        Binding("f9", "redial", "Redial", priority=True),
        Binding("ctrl+n", "next_call", "Next call", priority=True),
        Binding("ctrl+r", "fetch", "Reload", priority=True, show=False),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(self, client: DeskClient, every_s: float = EVERY_S) -> None:
        super().__init__()
        self._client = client
        self._every_s = every_s
        self._phones: list[PhoneOut] = []
        self._entries: list[DirectoryEntryOut] = []
        self._shown: list[DirectoryEntryOut] = []
        self._marked: list[str] = []
        self._calls: list[CallOut] = []
        self._ref = ""
        self._rows: list[tuple[str, str, str, str, str]] = []
        self._lost = ""
        self._is_sending = False
        # Kept here and not looked up: a last answer may come when the screen is gone already.
        self._from = OptionList(id="from", markup=False)
        self._typed = Input(placeholder=_PLACEHOLDER, id="typed", max_length=MAX_LINE_CHARS)
        self._to = OptionList(id="to", markup=False)
        self._call_box = Vertical(id="call-box")
        self._call_box.border_title = "CALL"
        self._call_line = Static("No call is running.", id="call", markup=False)
        self._roster = DataTable[Text](id="roster", cursor_type="row", zebra_stripes=True)
        self._said_line = Static("", id="said", markup=False)
        self._history = Static("", id="history", markup=False)

    # --- what it is made of ---------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Put the lists above the call, and what was said above the keys."""
        with Horizontal(id="lists"):
            with Vertical(id="from-box") as box:
                box.border_title = "FROM"
                yield self._from
            with Vertical(id="to-box") as box:
                box.border_title = "TO"
                yield self._typed
                yield self._to
        with self._call_box:
            yield self._call_line
            yield self._roster
        yield self._said_line
        yield self._history
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self._roster.add_columns("n", "who", "state", "muted", "cost")
        self._typed.focus()
        self.run_worker(self._keep_looking(), exit_on_error=True)

    async def _keep_looking(self) -> None:
        await self._fetch()
        while True:
            await self._try(self._look)
            await asyncio.sleep(self._every_s)

    # --- what the gateway has -------------------------------------------------------------------

    async def _fetch(self) -> None:
        """Read the lists and the money."""

        async def read() -> None:
            self._phones = await self._client.phones()
            self._from.set_options([Option(reading.phone_text(phone)) for phone in self._phones])
            self._from.highlighted = 0 if self._phones else None
            self._entries = await self._client.directory()
            self._show_names()
            self._say("" if self._phones else _NO_PHONE, is_error=not self._phones)
            await self._show_money()

        await self._try(read)

    async def _show_money(self) -> None:
        money = reading.balance_text(await self._client.balance())
        self._call_box.border_subtitle = money

    async def _look(self) -> None:
        """Read the calls and draw the one that is shown; its end brings the money anew."""
        was = {call.ref for call in reading.running(self._calls)}
        self._calls = await self._client.calls()
        now = [call.ref for call in reading.running(self._calls)]
        if self._ref not in now and now:
            self._ref = now[0]
        if was - set(now):
            await self._show_money()

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what needs the gateway; what is wrong stands above the roster until it is right."""
        try:
            await work()
            self._lost = ""
        except DeskError as error:
            self._lost = str(error)
        self._draw()

    # --- drawing --------------------------------------------------------------------------------

    def _say(self, words: str, *, is_error: bool = False) -> None:
        self._said_line.update(words)
        self._said_line.set_class(is_error, "error")

    def _show_names(self) -> None:
        self._shown = reading.matching(self._entries, self._typed.value)
        self._to.set_options(
            Option(reading.entry_text(each, is_marked=each.name in self._marked))
            for each in self._shown
        )
        self._to.highlighted = 0 if self._shown and (self._typed.value or self._marked) else None

    @property
    def _call(self) -> CallOut | None:
        return next((call for call in self._calls if call.ref == self._ref), None)

    def _draw(self) -> None:
        call = self._call
        more = len(reading.running(self._calls)) - 1
        words = "No call is running." if call is None else reading.call_text(call)
        words += f"  (+{more})" if more > 0 else ""
        self._call_line.update(self._lost or words)
        self._call_line.set_class(bool(self._lost), "error")
        self._history.update(reading.history_text(self._calls))
        rows = [] if call is None else [reading.party_row(party) for party in call.parties]
        if rows == self._rows:
            return
        row = self._roster.cursor_row
        self._roster.clear()
        for cells in rows:
            self._roster.add_row(*map(Text, cells))
        self._roster.move_cursor(row=min(row, max(0, len(rows) - 1)))
        self._rows = rows

    # --- what the keys do -----------------------------------------------------------------------

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Show the names that match."""
        self._show_names()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Call whoever is marked, or highlighted, or what was typed."""
        self._launch()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Call from the list as from the line; a phone of one's own is only chosen."""
        if event.option_list.id == "to":
            self._launch()
        elif event.option_list.id == "from":
            self._typed.focus()

    def on_key(self, event: events.Key) -> None:
        """Move in the names while the line has the keys; a space in the list marks."""
        if self.focused is self._typed and event.key in {"up", "down"}:
            (self._to.action_cursor_up if event.key == "up" else self._to.action_cursor_down)()
            event.stop()
        elif self.focused is self._to and event.key == "space":
            self.action_mark()
            event.stop()

    @property
    def _picked(self) -> str:
        """Return the highlighted name, "" when none is."""
        n = self._to.highlighted
        return self._shown[n].name if n is not None and n < len(self._shown) else ""

    @property
    def _origin(self) -> str:
        n = self._from.highlighted
        return self._phones[n].label if n is not None and n < len(self._phones) else ""

    def _launch(self) -> None:
        names = self._marked or ([self._picked] if self._picked else [])
        if names:
            self._send(reading.line_for(names, self._origin))
        elif self._typed.value.strip():
            self._send(reading.line_typed(self._typed.value, self._origin))
        else:
            self._say("Type a name or a number, or choose one with the arrow keys.")

    def _send(self, line: str) -> None:
        """Send a line, one at a time: a key that is held down asks once."""
        if not self._is_sending:
            self._is_sending = True
            self.run_worker(self._send_now(line), exit_on_error=True)

    async def _send_now(self, line: str) -> None:
        try:
            await self._ask(line)
        finally:
            self._is_sending = False

    async def _ask(self, line: str) -> None:
        """Send a line; ask what it asks; leave what was typed when it was refused."""
        self._say(f"{line} …")
        try:
            answer = await self._client.say(line)
            while answer.is_question:
                self._say(answer.text)
                chosen = await self.push_screen_wait(QuestionScreen(answer))
                if not chosen:
                    self._say(f"Left open: {answer.text}")
                    return
                answer = await self._client.say(chosen)
        except DeskError as error:
            self._say(f"{error} Whether it was done is not known.", is_error=True)
            return
        self._said(answer)
        await self._try(self._look)

    def _said(self, answer: Answer) -> None:
        self._say(answer.text, is_error=not answer.is_done)
        if answer.is_done:
            self._marked.clear()
            self._typed.value = ""
            self._show_names()
            self._ref = answer.ref or self._ref

    def action_go(self, where: str) -> None:
        """Give the keys to a list."""
        self.query_one(f"#{where}").focus()

    def action_mark(self) -> None:
        """Mark the highlighted name for a conference, or take the mark off."""
        if not self._picked:
            self._say("Choose a name with the arrow keys, then mark it; Enter calls all marked.")
            return
        name, n = self._picked, self._to.highlighted
        (self._marked.remove if name in self._marked else self._marked.append)(name)
        self._typed.value = ""
        self._show_names()
        self._to.highlighted = n if n is not None and n < len(self._shown) else None
        self._say("Marked: " + ", ".join(self._marked) if self._marked else "Nobody is marked.")

    def action_hang_up(self) -> None:
        """End the call that is shown."""
        self._control(lambda call: f"hangup {call.ref}")

    def action_add(self) -> None:
        """Bring the highlighted name, or what was typed, into the call."""
        if not self._picked and not self._typed.value.strip():
            self._say("Choose whom to add under TO, then press F6.")
            return
        self._control(lambda call: reading.line_to_add(self._typed.value, self._picked, call.ref))

    def action_mute(self) -> None:
        """Mute the party under the cursor, or let it speak again."""
        self._control_party(reading.line_to_mute)

    def action_drop(self) -> None:
        """Hang up the party under the cursor."""
        self._control_party(reading.line_to_drop)

    def action_redial(self) -> None:
        """Ring the party under the cursor again."""
        self._control_party(reading.line_to_redial)

    def action_next_call(self) -> None:
        """Show the next of several running calls."""
        refs = [call.ref for call in reading.running(self._calls)]
        if refs:
            here = refs.index(self._ref) if self._ref in refs else -1
            self._ref = refs[(here + 1) % len(refs)]
            self._draw()

    def action_fetch(self) -> None:
        """Read the lists again."""
        self.run_worker(self._fetch(), exit_on_error=True)

    def _control(self, line: Callable[[CallOut], str]) -> None:
        call = self._call
        if call is None or call not in reading.running(self._calls):
            self._say("No call is running.")
            return
        self._send(line(call))

    def _control_party(self, line: Callable[[PartyOut, str], str]) -> None:
        row = self._roster.cursor_row
        self._control(lambda call: line(call.parties[row], call.ref))
