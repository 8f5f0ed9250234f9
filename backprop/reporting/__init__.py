"""What programs leave behind: tables of text, timings, and files that are written whole."""
