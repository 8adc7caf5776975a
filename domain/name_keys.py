"""Keys under which a misspelt name finds the right one by look-up alone, however many names there are.

Two words that are one slip apart (a letter missing, added, swapped with its neighbour, or another one, also the first)
share a word with one letter taken out: the deletion neighbourhood of Mor and Fraenkel, "A hash code method for
detecting and correcting spelling errors", CACM 25 (1982). Names that only sound alike (Katerine, Catherine) share
their consonants, written in one way: after Soundex (Russell, US patent 1,261,167, 1918), with rules for more languages.
"""

from __future__ import annotations

MIN_CHARS = 3  # of two letters half would be left
MAX_CHARS = 24  # a longer word is compared by its beginning
SOUND = "~"  # begins a key made of consonants; no folded word does
_ALIKE = (
    ("sch", "s"), ("tch", "c"), ("ph", "f"), ("ck", "k"), ("dt", "t"), ("gn", "n"), ("kn", "n"), ("wr", "r"),
    ("qu", "k"), ("x", "ks"), ("c", "k"), ("q", "k"), ("z", "s"), ("v", "f"), ("w", "f"), ("j", "y"),
)  # fmt: skip
_VOWELS = frozenset("aeiouy")


def keys_of(word: str) -> frozenset[str]:
    """Keys of one folded word: itself, itself less one letter each, and its consonants."""
    made = {word}
    if len(word) >= MIN_CHARS:
        short = word[:MAX_CHARS]
        made |= {short[:at] + short[at + 1 :] for at in range(len(short))}
    sound = consonants(word)
    if len(sound) > 1:
        made.add(SOUND + sound)
    return frozenset(made)


def consonants(word: str) -> str:
    """The consonants of a Latin word as they sound, each once in a row, "a" for a vowel at the start; else ""."""
    if not (word.isascii() and word.isalpha()):
        return ""
    plain = word[:MAX_CHARS]
    for written, sounds in _ALIKE:
        plain = plain.replace(written, sounds)
    made = "y" if plain[:1] == "y" and plain[1:2] in ("a", "e", "i", "o", "u", "h") else ""
    made = made or ("a" if plain[:1] in _VOWELS else "")
    last = made
    for char in plain.replace("h", ""):
        if char in _VOWELS:
            last = ""
        elif char != last:
            made += char
            last = char
    return made
