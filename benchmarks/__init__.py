"""How fast graphflow is, beside MediaPipe on the same frames; `python -m benchmarks --help` says what there is."""
