"""The known causes of a wrong gradient, one kind per file; each test proves its own claim.

A test takes a comparison and the name of an array and returns a sentence, or "" if its hypothesis fails.
`diagnoses.py` lists the tests in the order in which they are tried.
"""
