"""The fastest way known here to 97 and 98 %: the settings (recipes.py), and the runs with them (runs.py)."""
