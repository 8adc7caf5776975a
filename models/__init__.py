"""Engines and their cards. Importing this package, or models.cards, loads no framework."""
