"""Output of programs: text tables, timings, and files that are written completely or not at all."""
