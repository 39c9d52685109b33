"""MediaPipe's own CPU graph files, unmodified, and small graphs written as they are.

The files are not in this repository. Those tests run where GRAPHFLOW_MEDIAPIPE names a checkout of MediaPipe's
repository (its graphs and modules are enough): every file loads, and the graphs that a user runs give pictures, and the
landmarks that the shipped graphs give.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from graphflow.calculators.payloads import Detection, NormalizedRect
from graphflow.calculators.tracking.timed_box import TimedBox

import graphflow
from graphflow import GraphConfigError, config

Frames = Sequence[np.ndarray]

FRAMES = 5


def _names(text: str) -> list[str]:
    return text.split()


GRAPHS = _names("""
face_detection/face_detection_desktop_live face_detection/face_detection_full_range_desktop_live
face_mesh/face_mesh_desktop face_mesh/face_mesh_desktop_live hand_tracking/hand_detection_desktop
hand_tracking/hand_detection_desktop_live hand_tracking/hand_tracking_desktop hand_tracking/hand_tracking_desktop_live
holistic_tracking/holistic_tracking_cpu holistic_tracking/holistic_tracking_to_render_data
iris_tracking/iris_depth_cpu iris_tracking/iris_tracking_cpu iris_tracking/iris_tracking_cpu_video_input
pose_tracking/pose_tracking_cpu selfie_segmentation/selfie_segmentation_cpu
""")

SUBGRAPHS = _names("""
face_effect/subgraphs/face_landmarks_smoothing face_mesh/subgraphs/face_renderer_cpu
hand_tracking/subgraphs/hand_renderer_cpu iris_tracking/subgraphs/iris_and_depth_renderer_cpu
iris_tracking/subgraphs/iris_renderer_cpu object_detection_3d/subgraphs/renderer_cpu
pose_tracking/subgraphs/pose_landmarks_to_render_data pose_tracking/subgraphs/pose_renderer_cpu
tracking/subgraphs/box_tracking_cpu tracking/subgraphs/object_tracking_cpu tracking/subgraphs/renderer_cpu
""")

MODULES = _names("""
face_detection/face_detection_full_range face_detection/face_detection_full_range_cpu
face_detection/face_detection_full_range_image face_detection/face_detection_short_range
face_detection/face_detection_short_range_by_roi_cpu face_detection/face_detection_short_range_cpu
face_detection/face_detection_short_range_image face_landmark/face_detection_front_detection_to_roi
face_landmark/face_landmark_cpu face_landmark/face_landmark_front_cpu face_landmark/face_landmark_front_cpu_image
face_landmark/face_landmark_landmarks_to_roi face_landmark/face_landmarks_model_loader
face_landmark/tensors_to_face_landmarks face_landmark/tensors_to_face_landmarks_with_attention
hand_landmark/hand_landmark_cpu hand_landmark/hand_landmark_landmarks_to_roi hand_landmark/hand_landmark_model_loader
hand_landmark/hand_landmark_tracking_cpu hand_landmark/hand_landmark_tracking_cpu_image
hand_landmark/palm_detection_detection_to_roi holistic_landmark/face_detection_front_detections_to_roi
holistic_landmark/face_landmarks_from_pose_cpu holistic_landmark/face_landmarks_from_pose_to_recrop_roi
holistic_landmark/face_landmarks_to_roi holistic_landmark/face_tracking holistic_landmark/hand_landmarks_from_pose_cpu
holistic_landmark/hand_landmarks_from_pose_to_recrop_roi holistic_landmark/hand_landmarks_left_and_right_cpu
holistic_landmark/hand_landmarks_to_roi holistic_landmark/hand_recrop_by_roi_cpu holistic_landmark/hand_tracking
holistic_landmark/hand_visibility_from_hand_landmarks_from_pose holistic_landmark/hand_wrist_for_pose
holistic_landmark/holistic_landmark_cpu iris_landmark/iris_landmark_cpu iris_landmark/iris_landmark_landmarks_to_roi
iris_landmark/iris_landmark_left_and_right_cpu objectron/box_landmark_cpu palm_detection/palm_detection_cpu
palm_detection/palm_detection_model_loader pose_detection/pose_detection_cpu pose_landmark/pose_detection_to_roi
pose_landmark/pose_landmark_by_roi_cpu pose_landmark/pose_landmark_cpu pose_landmark/pose_landmark_filtering
pose_landmark/pose_landmark_model_loader pose_landmark/pose_landmarks_and_segmentation_inverse_projection
pose_landmark/pose_landmarks_to_roi pose_landmark/pose_segmentation_filtering
pose_landmark/tensors_to_pose_landmarks_and_segmentation selfie_segmentation/selfie_segmentation_cpu
selfie_segmentation/selfie_segmentation_cpu_image selfie_segmentation/selfie_segmentation_model_loader
""")

WITHOUT_OPTIONS = ("face_detection/face_detection", "face_detection/face_detection_without_roi")
"""They get model and anchors from the graphs that use them, so that alone they lack these."""

WITH_OPTIONS = ("face_detection/face_detection_short_range", "face_detection/face_detection_short_range_image")
"""Some that use them."""

WHOLE = NormalizedRect(0.5, 0.5, 1.0, 1.0)

FACE_OPTIONS = {
    "model_path": "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "tensor_width": 128,
    "tensor_height": 128,
    "num_layers": 4,
    "strides": [8, 16, 16, 16],
    "interpolated_scale_aspect_ratio": 1.0,
    "num_boxes": 896,
    "x_scale": 128.0,
    "y_scale": 128.0,
    "h_scale": 128.0,
    "w_scale": 128.0,
    "min_score_thresh": 0.5,
}
"""What these give them."""

FILES = [*(f"graphs/{name}" for name in (*GRAPHS, *SUBGRAPHS)), *(f"modules/{name}" for name in MODULES)]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of a MediaPipe checkout: the folder that holds the folder `mediapipe`."""
    named = os.environ.get("GRAPHFLOW_MEDIAPIPE")
    if not named:
        pytest.skip("GRAPHFLOW_MEDIAPIPE does not name a checkout of MediaPipe's repository")
    root = Path(named)
    assert (root / "mediapipe" / "graphs").is_dir(), f"{root} is no checkout of MediaPipe's repository"
    return root


@pytest.fixture(scope="session")
def frames(shared: Path) -> Frames:
    """The first frames of a video of a person with face and hands."""
    return read_frames(shared / "data" / "videos" / "sign_help.mkv", FRAMES)


def read_frames(path: Path, count: int) -> Frames:
    capture = cv2.VideoCapture(str(path))
    found = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(count)]
    capture.release()
    return found


def run(
    graph: graphflow.Graph,
    packets: Iterator[tuple[int, dict[str, Any]]],
    outputs: Sequence[str],
    side_packets: Mapping[str, Any] | None = None,
) -> dict[str, list[tuple[int, Any]]]:
    """What comes out where each timestamp's packets go in when those before are through, so that nothing is dropped."""
    found: dict[str, list[tuple[int, Any]]] = {name: [] for name in outputs}
    for name, values in found.items():
        graph.observe(name, lambda packet, values=values: values.append((packet.timestamp, packet.value)))
    graph.start(side_packets)
    for timestamp, values_by_stream in packets:
        for stream, value in values_by_stream.items():
            graph.add_packet(stream, value, timestamp)
        graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def on_frames(
    graph: graphflow.Graph,
    stream: str,
    frames: Frames,
    *outputs: str,
    side_packets: Mapping[str, Any] | None = None,
) -> dict[str, list[tuple[int, Any]]]:
    stamped = ((round(number * 1e6 / 30), {stream: frame}) for number, frame in enumerate(frames))
    return run(graph, stamped, outputs, side_packets)


@pytest.mark.parametrize("name", FILES)
def test_file_loads(name: str, checkout: Path) -> None:
    checked = config.load(checkout / "mediapipe" / f"{name}.pbtxt", graph_path=[checkout])
    assert checked.nodes


@pytest.mark.parametrize("name", WITHOUT_OPTIONS)
def test_file_lacks_the_options_of_whoever_uses_it(name: str, checkout: Path) -> None:
    with pytest.raises(GraphConfigError) as caught:
        config.load(checkout / "mediapipe" / "modules" / f"{name}.pbtxt", graph_path=[checkout])
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 4
    assert all("option" in message for message in messages), messages


@pytest.mark.parametrize(("name", "user"), list(zip(WITHOUT_OPTIONS, WITH_OPTIONS, strict=True)))
def test_file_with_the_options_of_whoever_uses_it(name: str, user: str, checkout: Path, frames: Frames) -> None:
    found = []
    for each, params in ((name, FACE_OPTIONS), (user, {})):
        graph = graphflow.load(
            checkout / "mediapipe" / "modules" / f"{each}.pbtxt", params=params, graph_path=[checkout]
        )
        streams = {entry.name for entry in graph.checked.spec.inputs}
        packets = (
            (i * 33333, {name: value for name, value in (("image", frame), ("roi", WHOLE)) if name in streams})
            for i, frame in enumerate(frames)
        )
        found.append(run(graph, packets, ["detections"])["detections"])
    assert [timestamp for timestamp, _ in found[0]] == [timestamp for timestamp, _ in found[1]]
    assert len(found[0]) >= 2
    for (_, mine), (_, other) in zip(*found, strict=True):
        np.testing.assert_array_equal(coordinates(mine), coordinates(other))


# graph, landmarks in it, the shipped graph with its parameters, the landmarks there
LIVE: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("pose_tracking/pose_tracking_cpu", "pose_landmarks", "pose", {}, "pose_landmarks"),
    (
        "face_mesh/face_mesh_desktop_live",
        "multi_face_landmarks",
        "face_mesh",
        {"refine_landmarks": True},
        "multi_face_landmarks",
    ),
    ("hand_tracking/hand_tracking_desktop_live", "landmarks", "hands", {}, "multi_hand_landmarks"),
    ("holistic_tracking/holistic_tracking_cpu", "pose_landmarks", "holistic", {}, "pose_landmarks"),
    ("holistic_tracking/holistic_tracking_cpu", "face_landmarks", "holistic", {}, "face_landmarks"),
    ("holistic_tracking/holistic_tracking_cpu", "left_hand_landmarks", "holistic", {}, "left_hand_landmarks"),
    ("iris_tracking/iris_tracking_cpu", "face_landmarks_with_iris", "iris", {}, "face_landmarks_with_iris"),
    ("face_detection/face_detection_desktop_live", "face_detections", "face_detection", {}, "detections"),
]


@pytest.mark.parametrize(("name", "theirs", "shipped", "params", "ours"), LIVE)
def test_landmarks_are_those_of_the_shipped_graph(
    name: str, theirs: str, shipped: str, params: dict[str, Any], ours: str, checkout: Path, frames: Frames
) -> None:
    file = checkout / "mediapipe" / "graphs" / f"{name}.pbtxt"
    # the shipped graphs do what mp.solutions does, whose Python loses this option of the graph file on the way
    kernels = {
        f"{node.spec.name}.kernel_size": 9
        for node in config.load(file, graph_path=[checkout]).nodes
        if node.spec.name.endswith("RefineLandmarksFromHeatmapCalculator")
    }
    graph = graphflow.load(file, graph_path=[checkout], overrides=kernels)
    found = on_frames(graph, "input_video", frames, "output_video", theirs)
    expected = on_frames(graphflow.load(shipped, params=params), "image", frames, ours)[ours]
    assert [timestamp for timestamp, _ in found[theirs]] == [timestamp for timestamp, _ in expected]
    assert len(expected) >= 2, "the video shows nothing to compare"
    for (_, mine), (_, other) in zip(found[theirs], expected, strict=True):
        np.testing.assert_array_equal(coordinates(mine), coordinates(other))
    pictures = [picture for _, picture in found["output_video"]]
    assert len(pictures) == len(frames)
    assert all(picture.shape == frames[0].shape for picture in pictures)
    assert (pictures[-1] != frames[-1]).any(axis=2).sum() > 200, "something is drawn"


def coordinates(value: Any) -> np.ndarray:
    """All x and y of landmark lists, or of the boxes of detections."""
    items = value if isinstance(value, list) else [value]
    return np.concatenate([item.xyz[:, :2].ravel() if hasattr(item, "xyz") else item.box for item in items])


TWINS: list[tuple[str, str, dict[str, Any]]] = [
    ("face_detection/face_detection_full_range_cpu", "face_detection/face_detection_full_range_image", {}),
    ("face_detection/face_detection_short_range_cpu", "face_detection/face_detection_short_range_image", {}),
    ("face_landmark/face_landmark_front_cpu", "face_landmark/face_landmark_front_cpu_image", {"num_faces": 1}),
    ("hand_landmark/hand_landmark_tracking_cpu", "hand_landmark/hand_landmark_tracking_cpu_image", {"num_hands": 2}),
    (
        "selfie_segmentation/selfie_segmentation_cpu",
        "selfie_segmentation/selfie_segmentation_cpu_image",
        {"model_selection": 1},
    ),
]


@pytest.mark.parametrize(("name", "twin", "side_packets"), TWINS)
def test_modules_for_both_kinds_of_image(
    name: str, twin: str, side_packets: dict[str, Any], checkout: Path, frames: Frames
) -> None:
    found = []
    for each in (name, twin):
        file = checkout / "mediapipe" / "modules" / f"{each}.pbtxt"
        spec = config.load(file, graph_path=[checkout]).spec
        output = next(
            entry.name for entry in spec.outputs if entry.tag in ("DETECTIONS", "LANDMARKS", "SEGMENTATION_MASK")
        )
        graph = graphflow.load(file, graph_path=[checkout])
        found.append(on_frames(graph, spec.inputs[0].name, frames, output, side_packets=side_packets)[output])
    assert [timestamp for timestamp, _ in found[0]] == [timestamp for timestamp, _ in found[1]]
    assert len(found[0]) >= 2
    for (_, first), (_, second) in zip(*found, strict=True):
        np.testing.assert_array_equal(
            *(each if isinstance(each, np.ndarray) else coordinates(each) for each in (first, second))
        )


PICTURES = (
    "face_detection/face_detection_full_range_desktop_live",
    "hand_tracking/hand_detection_desktop_live",
    "selfie_segmentation/selfie_segmentation_cpu",
)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name: str, checkout: Path, frames: Frames) -> None:
    graph = graphflow.load(checkout / "mediapipe" / "graphs" / f"{name}.pbtxt", graph_path=[checkout])
    pictures = on_frames(graph, "input_video", frames, "output_video")["output_video"]
    assert len(pictures) == len(frames)
    assert any((picture != frame).any() for (_, picture), frame in zip(pictures, frames, strict=True))


FROM_FILE_TO_FILE = (
    "face_mesh/face_mesh_desktop",
    "hand_tracking/hand_detection_desktop",
    "hand_tracking/hand_tracking_desktop",
    "iris_tracking/iris_tracking_cpu_video_input",
)


@pytest.mark.parametrize("name", FROM_FILE_TO_FILE)
def test_from_file_to_file(name: str, checkout: Path, frames: Frames, tmp_path: Path) -> None:
    graph = graphflow.load(checkout / "mediapipe" / "graphs" / f"{name}.pbtxt", graph_path=[checkout])
    source, target = tmp_path / "in.avi", tmp_path / "out.mp4"
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    graph.start({"input_video_path": str(source), "output_video_path": str(target)})
    graph.wait_until_done()
    written = read_frames(target, len(frames))
    assert all(picture.shape == frames[0].shape for picture in written)


def test_what_holistic_found_becomes_render_data(checkout: Path, frames: Frames) -> None:
    names = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")
    landmarks = on_frames(graphflow.load("holistic"), "image", frames[:3], *names, "pose_rect_from_landmarks")
    by_time: dict[int, dict[str, Any]] = {}
    for name, values in landmarks.items():
        stream = {"pose_rect_from_landmarks": "roi", "pose_landmarks": "landmarks"}.get(name, name)
        for timestamp, value in values:
            by_time.setdefault(timestamp, {})[stream] = value
    for given in by_time.values():
        given["image_size"] = (frames[0].shape[1], frames[0].shape[0])
    file = checkout / "mediapipe" / "graphs" / "holistic_tracking" / "holistic_tracking_to_render_data.pbtxt"
    graph = graphflow.load(file, graph_path=[checkout])
    found = run(graph, iter(sorted(by_time.items())), ["render_data_vector"])["render_data_vector"]
    assert [timestamp for timestamp, _ in found] == sorted(by_time)
    assert all(sum(len(data.shapes) for data in vector) > 5 for _, vector in found)


SIGNER_FRAMES = 60
DETECTED_EVERY = 10


@pytest.fixture(scope="session")
def signer(shared: Path) -> tuple[Frames, list[list[Detection]]]:
    """A video of somebody who moves, and the face in each frame, labelled."""
    frames = read_frames(shared / "data" / "videos" / "sign_walk.mkv", SIGNER_FRAMES)
    found = on_frames(graphflow.load("face_detection"), "image", frames, "detections")["detections"]
    assert len(found) == len(frames)
    return frames, [[replace(each, labels=("face",)) for each in detections] for _, detections in found]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes: left, top, width, height."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    common = np.maximum(high - low, 0).prod()
    return float(common / (one[2:].prod() + other[2:].prod() - common))


def test_boxes_follow_a_face(checkout: Path, signer: tuple[Frames, list[list[Detection]]]) -> None:
    frames, faces = signer
    file = checkout / "mediapipe" / "graphs" / "tracking" / "subgraphs" / "box_tracking_cpu.pbtxt"
    left, top, width, height = faces[1][0].box
    start = TimedBox(left, top, left + width, top + height, time_ms=33, box_id=5)
    packets: list[tuple[int, dict[str, Any]]] = [
        (round(i * 1e6 / 30), {"input_video": frame}) for i, frame in enumerate(frames[:30])
    ]
    packets[1][1]["start_pos"] = [start]
    boxes = run(graphflow.load(file, graph_path=[checkout]), iter(packets), ["boxes"])["boxes"]
    assert [timestamp for timestamp, _ in boxes] == [timestamp for timestamp, _ in packets]
    for (_, found), face in list(zip(boxes, faces, strict=False))[2:]:
        assert [box.box_id for box in found] == [5]
        box = found[0]
        place = np.array([box.left, box.top, box.right - box.left, box.bottom - box.top])
        assert overlap(place, face[0].box) > 0.75


def test_detections_now_and_then_become_detections_at_every_frame(
    checkout: Path, signer: tuple[Frames, list[list[Detection]]]
) -> None:
    frames, faces = signer
    file = checkout / "mediapipe" / "graphs" / "tracking" / "subgraphs" / "object_tracking_cpu.pbtxt"
    packets: list[tuple[int, dict[str, Any]]] = []
    for i, frame in enumerate(frames):
        detected = {"new_detections": faces[i]} if i % DETECTED_EVERY == 0 else {}
        packets.append((round(i * 1e6 / 30), {"input_video": frame, **detected}))
    tracked = run(graphflow.load(file, graph_path=[checkout]), iter(packets), ["tracked_detections"])
    found = tracked["tracked_detections"]
    assert [timestamp for timestamp, _ in found] == [timestamp for timestamp, _ in packets]
    overlaps = []
    for (_, detections), face in list(zip(found, faces, strict=True))[1:]:
        assert len(detections) == 1, "the new detections are the face that is followed already"
        assert detections[0].labels == ("face",)
        overlaps.append(overlap(detections[0].box, face[0].box))
    assert min(overlaps) > 0.75
    assert np.mean(overlaps) > 0.9
    renderer = graphflow.load(file.with_name("renderer_cpu.pbtxt"), graph_path=[checkout])
    spec = renderer.checked.spec
    image, detections = (entry.name for entry in spec.inputs)
    shown = (
        (timestamp, {image: frame, detections: value}) for frame, (timestamp, value) in zip(frames, found, strict=True)
    )
    pictures = run(renderer, shown, [spec.outputs[0].name])[spec.outputs[0].name]
    assert len(pictures) == len(frames)
    assert all(
        (picture != frame).any(axis=2).sum() > 200
        for (_, picture), frame in list(zip(pictures, frames, strict=True))[1:]
    )


SMALL = """
# Written as MediaPipe's graphs are: a module that loads a model by its path, inference, and a renderer.
input_stream: "input_video"
output_stream: "output_video"
output_stream: "detections"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:model_path"
  options: {
    [mediapipe.ConstantSidePacketCalculatorOptions.ext]: {
      packet { string_value: "mediapipe/modules/palm_detection/palm_detection_lite.tflite" }
    }
  }
}
node {
  calculator: "ResourceProviderCalculator"
  input_side_packet: "RESOURCE_ID:model_path"
  output_side_packet: "RESOURCE:resource"
}
node {
  calculator: "TfLiteModelCalculator"
  input_side_packet: "MODEL_RESOURCE:resource"
  output_side_packet: "MODEL:model"
}
node { calculator: "TfLiteCustomOpResolverCalculator" output_side_packet: "OP_RESOLVER:op_resolver" }
node {
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:input_video"
  output_stream: "TENSORS:tensors"
  output_stream: "LETTERBOX_PADDING:padding"
  node_options: {
    [type.googleapis.com/mediapipe.ImageToTensorCalculatorOptions] {
      output_tensor_width: 192
      output_tensor_height: 192
      keep_aspect_ratio: true
      output_tensor_float_range { min: 0.0 max: 1.0 }
      border_mode: BORDER_ZERO
    }
  }
}
node {
  calculator: "InferenceCalculator"
  input_stream: "TENSORS:tensors"
  output_stream: "TENSORS:raw"
  input_side_packet: "MODEL:model"
  input_side_packet: "OP_RESOLVER:op_resolver"
  options: { [mediapipe.InferenceCalculatorOptions.ext] { delegate { xnnpack {} } } }
}
node {
  calculator: "SsdAnchorsCalculator"
  output_side_packet: "anchors"
  options: {
    [mediapipe.SsdAnchorsCalculatorOptions.ext] {
      num_layers: 4
      min_scale: 0.1484375
      max_scale: 0.75
      input_size_width: 192
      input_size_height: 192
      anchor_offset_x: 0.5
      anchor_offset_y: 0.5
      strides: 8
      strides: 16
      strides: 16
      strides: 16
      aspect_ratios: 1.0
      fixed_anchor_size: true
    }
  }
}
node {
  calculator: "TensorsToDetectionsCalculator"
  input_stream: "TENSORS:raw"
  input_side_packet: "ANCHORS:anchors"
  output_stream: "DETECTIONS:unfiltered"
  options: {
    [mediapipe.TensorsToDetectionsCalculatorOptions.ext] {
      num_classes: 1
      num_boxes: 2016
      num_coords: 18
      keypoint_coord_offset: 4
      num_keypoints: 7
      num_values_per_keypoint: 2
      sigmoid_score: true
      score_clipping_thresh: 100.0
      reverse_output_order: true
      x_scale: 192.0
      y_scale: 192.0
      w_scale: 192.0
      h_scale: 192.0
      min_score_thresh: 0.3
    }
  }
}
node {
  calculator: "NonMaxSuppressionCalculator"
  input_stream: "unfiltered"
  output_stream: "filtered"
  options: {
    [mediapipe.NonMaxSuppressionCalculatorOptions.ext] {
      min_suppression_threshold: 0.3
      overlap_type: INTERSECTION_OVER_UNION
      algorithm: WEIGHTED
    }
  }
}
node {
  calculator: "DetectionLetterboxRemovalCalculator"
  input_stream: "DETECTIONS:filtered"
  input_stream: "LETTERBOX_PADDING:padding"
  output_stream: "DETECTIONS:numbered"
}
node {
  calculator: "DetectionLabelIdToTextCalculator"
  input_stream: "numbered"
  output_stream: "detections"
  node_options: { [type.googleapis.com/mediapipe.DetectionLabelIdToTextCalculatorOptions] { label: "Palm" } }
}
node {
  calculator: "DetectionsToRenderDataCalculator"
  input_stream: "DETECTIONS:detections"
  output_stream: "RENDER_DATA:render_data"
  options: {
    [mediapipe.DetectionsToRenderDataCalculatorOptions.ext] { thickness: 4.0 color { r: 0 g: 255 b: 0 } }
  }
}
node {
  calculator: "AnnotationOverlayCalculator"
  input_stream: "IMAGE:input_video"
  input_stream: "render_data"
  output_stream: "IMAGE:output_video"
}
"""


def test_small_graph_with_a_model_by_its_path(frames: Frames) -> None:
    found = on_frames(graphflow.load(SMALL), "input_video", frames, "detections", "output_video")
    labels = [detection.labels for _, detections in found["detections"] for detection in detections]
    assert labels
    assert set(labels) == {("Palm",)}
    for (_, detections), (_, picture), frame in zip(found["detections"], found["output_video"], frames, strict=True):
        green = ((picture == (0, 255, 0)).all(axis=2) & (frame != (0, 255, 0)).any(axis=2)).sum()
        assert bool(detections) == bool(green)


def test_models_that_are_nowhere() -> None:
    text = SMALL.replace("palm_detection_lite.tflite", "palm_detection_heavy.tflite")
    graph = graphflow.load(text)
    with pytest.raises(graphflow.GraphflowError, match=r"palm_detection_heavy\.tflite is neither a file nor"):
        run(graph, iter(()), ["detections"])
