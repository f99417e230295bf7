"""A scripted clinic day: virtual visitors who see pixels and press keys, staff who send commands."""
