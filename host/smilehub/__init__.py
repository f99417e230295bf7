"""Smilehub on the laptop and the bench: commands, link, sync, store, devices and the simulated board."""

__version__ = "0.1.0"
