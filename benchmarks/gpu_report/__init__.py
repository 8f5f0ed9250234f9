"""What holds on a GPU, in under six minutes: the tests, the training beside other libraries, the targets."""
