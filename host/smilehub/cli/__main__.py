"""`python -m smilehub.cli` is the `smilehub` program."""

from smilehub.cli import main

main()
