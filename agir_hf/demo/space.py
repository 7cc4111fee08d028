"""The app of a Space."""

import os

from agir_hf.demo import build_app
from agir_hf.demo.app import MAX_UPLOAD_MB
from agir_hf.loading import load_pipeline

app = build_app(load_pipeline(os.environ.get("AGIR_MODEL", "agir-tiny")))

if __name__ == "__main__":
    app.launch(max_file_size=f"{MAX_UPLOAD_MB}mb")
