"""Tables behind the warnings; see README.md in this folder."""
