"""What a person is told when a rehearsal cannot go on."""


class RehearsalError(Exception):
    """Something the person who runs the rehearsal can act on.

    The message says what was wrong and where; `remedy`, when there is one, says what to do. No traceback is shown.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  What to do: {self.remedy}" if self.remedy else message


class InterruptionError(RehearsalError):
    """Ctrl-C or SIGTERM: not a failure of what is rehearsed."""
