"""The exception for missing or damaged data."""


class DataError(RuntimeError):
    """The error for data that is missing, damaged or cannot be downloaded.

    Its message is one line: the place, the fault and the cure.
    """

    def __init__(self, message: str) -> None:
        # Paths and messages of other libraries may contain line breaks.
        super().__init__(" ".join(message.splitlines()))
