"""Errors caused by the machine rather than by the program."""


class BackendUnavailable(RuntimeError):
    """The error for a backend that was requested by name and cannot be used here.

    Parameters
    ----------
    name : str
        The backend.
    reason : str
        What is missing or broken.
    cure : str
        What to do about it, including the way back to NumPy.
    """

    def __init__(self, name: str, reason: str, cure: str) -> None:
        super().__init__(name, reason, cure)
        self.name, self.reason, self.cure = name, reason, cure

    def __str__(self) -> str:
        return f'backend "{self.name}" cannot be used: {self.reason}; {self.cure}'
