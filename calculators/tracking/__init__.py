"""Follows things through a video: motion, boxes and detections as MediaPipe does, and people by their keypoints.

Calculators by module: `motion_analysis`, `flow_packager`, `box_tracker` (boxes by the motion of the points in them);
`detections_to_timed_boxes`, `tracked_detection_manager` (detections with such boxes); `keypoint_tracker`, `pose_flow`,
`pose_nms` (people).
"""
