"""Tables of text and timings, for reports, commands and benchmarks."""
