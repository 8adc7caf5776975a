"""CARDS: the one table of everything on the shelf. Importing it loads no framework.

Order matters within a task: the first card is its default.
"""

from __future__ import annotations

from domain.models import ModelCard
from models.cards_imaging import IMAGING_CARDS
from models.cards_language import LANGUAGE_CARDS
from models.cards_ocr import OCR_CARDS
from models.cards_speech import SPEECH_CARDS

CARDS: tuple[ModelCard, ...] = (*OCR_CARDS, *LANGUAGE_CARDS, *IMAGING_CARDS, *SPEECH_CARDS)
IMAGING_TASKS: tuple[str, ...] = tuple(dict.fromkeys(card.task for card in IMAGING_CARDS))
