"""Models: where they come from, their import to ONNX, and the sessions that run them."""
