"""The window's question: what the gateway asks before it does anything, and the answer.

Each answer has its digit, as on a pager: the key picks it, as Enter does under the cursor.
"""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gateway.desk.client import Answer


class QuestionScreen(ModalScreen[str]):
    """Shows a question; ends with the line that answers it, "" when it is left open."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Leave it")]

    def __init__(self, asked: Answer) -> None:
        super().__init__()
        self._asked = asked
        yes = [(asked.answer, f"Yes: {asked.answer}")] if asked.answer else []
        self._choices = [*asked.choices, *yes]

    def compose(self) -> ComposeResult:
        """Put the question over what can be answered."""
        with Vertical(id="question"):
            yield Static(self._asked.text, markup=False)
            labels = [*(label for _, label in self._choices), "Leave it"]
            options = [Option(f"{n}  {label}") for n, label in enumerate(labels, start=1)]
            yield OptionList(*options, id="answers", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self._pick(event.option_index)

    def on_key(self, event: events.Key) -> None:
        """Answer by the digit that stands before it; other digits are no answer."""
        if event.key.isascii() and event.key.isdigit():
            event.stop()
            n = int(event.key) - 1
            if 0 <= n <= len(self._choices):
                self._pick(n)

    def _pick(self, n: int) -> None:
        self.dismiss(self._choices[n][0] if n < len(self._choices) else "")

    def action_leave(self) -> None:
        """Leave the question open; it can be answered from any channel."""
        self.dismiss("")
