"""Errors whose message is a template with named parts, and the one that a user's own input can cause."""

from __future__ import annotations

from engines.messages import Message, message


class MessageError(Exception):
    """An error that people read: ``SomeError("There is no run {run}.", run=7)``; see :mod:`engines.messages`."""

    def __init__(self, template: str, /, **parts: object) -> None:
        super().__init__(message(template, **parts))

    @property
    def message(self) -> Message:
        """What it says, so that a page can say it in another language."""
        sentence: Message = self.args[0]
        return sentence


class InputError(MessageError, ValueError):
    """Input that cannot be used: the message names the file, column, row or parameter, and the remedy.

    Faces turn it into exit code 2 on the command line, a 4xx answer with a JSON body in the API, and an alert on the
    page. Anything else that is raised is a defect of the product.
    """
