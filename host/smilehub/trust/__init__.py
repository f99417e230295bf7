"""Who belongs to a hub: its authority, the identities that it issues, and what it takes back."""
