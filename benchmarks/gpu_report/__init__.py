"""What holds on a GPU, in two runs of under nine minutes: does it work, how fast is it, do the tests pass."""
