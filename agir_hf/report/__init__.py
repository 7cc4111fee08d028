"""Results as people read them: notes in plain text, and figures (these with the ``report`` extra)."""

from .code_figures import plot_codes
from .figures import plot_gait_cycle, plot_parameters
from .note import assessment_note, measures_note
from .skeleton_figures import plot_skeleton, plot_stride

__all__ = [
    "assessment_note",
    "measures_note",
    "plot_codes",
    "plot_gait_cycle",
    "plot_parameters",
    "plot_skeleton",
    "plot_stride",
]
