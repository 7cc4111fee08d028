"""Results as people read them."""

from .note import assessment_note, measures_note

__all__ = ["assessment_note", "measures_note"]
