"""What can be wrong with the machine rather than with the program."""


class BackendUnavailable(RuntimeError):
    """A backend that was asked for by name cannot be used here.

    name: the backend.  reason: what is missing or broken.  cure: what to do about it, the way back included.
    """

    def __init__(self, name: str, reason: str, cure: str) -> None:
        super().__init__(name, reason, cure)
        self.name, self.reason, self.cure = name, reason, cure

    def __str__(self) -> str:
        return f'backend "{self.name}" cannot be used: {self.reason}; {self.cure}'
