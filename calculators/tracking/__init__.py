"""Follows things through a video: sparse motion, the camera's motion, boxes, and detections over time."""
