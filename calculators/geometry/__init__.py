"""Rectangles, landmarks and detections: made, moved and compared.

Calculators by module: `letterbox`, `projection` (back to the image); `detections_to_rects`, `hand_rect`,
`landmarks_to_detection`, `rect_transformation`, `roi_tracking`, `association` (regions of interest); `visibility`,
`thresholding`, `refinement`, `detection_transformation`. The arithmetic is in `kernels` (points) and `rect_kernels`.
"""
