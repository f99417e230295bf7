"""Coverage-guided fuzzing (atheris) of all that takes bytes from a peer or a file: `python -m tools.fuzz`."""
