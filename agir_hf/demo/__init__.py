"""A Gradio app: upload a walk or pick one, watch it, read the assessment as it is written, compare two walks."""

from .app import build_app, launch_options, serve

__all__ = ["build_app", "launch_options", "serve"]
