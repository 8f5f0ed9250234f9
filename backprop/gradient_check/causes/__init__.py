"""The known causes of a wrong gradient, one kind a file; each test proves its own claim.

A test takes a comparison and the name of an array and returns a sentence, or "" if its hypothesis fails.
`diagnoses.py` says which are tried, and in which order.
"""
