"""Fonts of printed pages; see README.md in this folder."""
