"""Training by several processes, timed beside one process, and a model of it for more than there are here."""
