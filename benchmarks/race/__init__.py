"""The recipe of `backprop race`, trained by other libraries, and the command that times all of them."""
