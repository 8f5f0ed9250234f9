"""The networks of chapters 7 and 8 by this library, PyTorch and the book's loop, timed by one command."""
