"""Training: the motion tokenizer, both fine-tuning stages, and the packaged ``agir-tiny`` from nothing."""
