"""Smoothing over time: filters over arrays, usable without a graph, and the calculators that apply them to landmarks.

`LowPassFilter`, `OneEuroFilter` and `RelativeVelocityFilter` are in modules of their names, Savitzky-Golay's two in
`savitzky_golay`; the calculators `LandmarksSmoothing` and `VisibilitySmoothing` in `smoothing`,
`LandmarksSavitzkyGolay` in `landmarks_savitzky_golay`.
"""
