"""The window's question: what the gateway asks before it does anything, and the answer."""

from typing import ClassVar

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
            options = [Option(label) for _, label in self._choices]
            yield OptionList(*options, Option("Leave it"), id="answers", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        n = event.option_index
        self.dismiss(self._choices[n][0] if n < len(self._choices) else "")

    def action_leave(self) -> None:
        """Leave the question open; it can be answered from any channel."""
        self.dismiss("")
