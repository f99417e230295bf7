"""The laptop's store: every record once, byte for byte, and the commands this laptop has issued."""
