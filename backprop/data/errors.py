"""The one exception that the data loaders raise."""


class DataError(RuntimeError):
    """Data is missing, damaged or out of reach; the message is one line: where, what, and the cure."""

    def __init__(self, message: str) -> None:
        # Paths and other libraries' messages may hold line breaks.
        super().__init__(" ".join(message.splitlines()))
