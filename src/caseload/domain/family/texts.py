"""What a text about the people around a client may be."""

import unicodedata

LONGEST_NAME = 200
LONGEST_TEXT = 4_000


def text_fault(text: str | None, *, longest: int) -> str | None:
    """What is wrong with a text that may be left out, if anything is."""
    if text is None:
        return None
    if not text.strip():
        return "must not be empty"
    if len(text) > longest:
        return f"must have at most {longest} characters"
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
        return "must not contain control characters"
    return None
