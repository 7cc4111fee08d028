"""The app of a Space."""

import os

from agir_hf.demo import build_app, launch_options
from agir_hf.loading import load_pipeline

app = build_app(load_pipeline(os.environ.get("AGIR_MODEL", "agir-tiny")))

if __name__ == "__main__":
    app.launch(**launch_options())
