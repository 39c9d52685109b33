"""MoveNet's outputs as landmarks and detections."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, FloatArray, NormalizedLandmarkList
from .tensors import TensorsOrOne, tensor_list

_KEYPOINTS = 17
_MIN_KEYPOINT_SCORE = 0.2  # what counts towards the score of a person, in tfjs-models


def person_score(keypoint_scores: FloatArray) -> float:
    """How sure MoveNet is of a person: the mean of the keypoint scores above 0.2, 0 where there is none.

    Source: tfjs-models `movenet/detector.ts`, `runSinglePersonPoseModel`.

    >>> round(person_score(np.float32([0.5, 0.7, 0.1])), 3)
    0.6
    """
    confident = keypoint_scores[keypoint_scores > _MIN_KEYPOINT_SCORE]
    return float(confident.mean(dtype=np.float64)) if len(confident) else 0.0


class MoveNetTensorsToLandmarks(Calculator):
    """Turns the output of single-person MoveNet into 17 landmarks in COCO's order, their scores as visibility.

    Nothing is emitted where the person is less sure than `min_pose_score`. Coordinates are normalized to the model's
    input; `LandmarkProjection` takes them back to the image.

    Source: MoveNet's model card; the score of a person as tfjs-models has it.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, 1, 17, 3]: y, x, score")
    landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the model's input, z 0", optional=True)
    score = Output("SCORE", float, "of the person, 0..1", optional=True)

    min_pose_score: float = Option(0.0, "0..1; 0.25 in tfjs-models")

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        points = _first(tensors)
        if points.size != _KEYPOINTS * 3:
            raise ValueError(f"single-person MoveNet gives [1, 1, 17, 3], not {list(points.shape)}")
        landmarks = _landmarks(points.reshape(_KEYPOINTS, 3))
        assert landmarks.visibility is not None
        score = person_score(landmarks.visibility)
        if score < self.min_pose_score:
            return
        context[self.landmarks] = landmarks
        context[self.score] = score


class MoveNetMultiPoseTensorsToLandmarks(Calculator):
    """Turns the output of MoveNet MultiPose into people: 17 landmarks and a box each, the surest first.

    The box of a person is y_min, x_min, y_max, x_max. Coordinates are normalized to the model's input. Where that is
    an image padded at its right or lower edge to a multiple of 32, `width_used` and `height_used`, the parts that the
    image fills, normalize to the image.

    Source: MoveNet MultiPose's model card and tfjs-models `movenet/detector.ts`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, N, 56]: 17 x (y, x, score), box, score")
    landmarks = Output("NORM_LANDMARKS", list[NormalizedLandmarkList], "one for each person", optional=True)
    detections = Output("DETECTIONS", list[Detection], "the same people's boxes and keypoints", optional=True)

    min_pose_score: float = Option(0.25, "people less sure are left out, 0..1")
    width_used: float = Option(1.0, "part of the model's input that the image fills, 0..1")
    height_used: float = Option(1.0, "part of the model's input that the image fills, 0..1")

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        rows = _first(tensors)
        if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] != _KEYPOINTS * 3 + 5:
            raise ValueError(f"MoveNet MultiPose gives [1, N, 56], not {list(rows.shape)}")
        people = rows[0][rows[0, :, 55] >= self.min_pose_score]
        people = people[np.argsort(-people[:, 55], kind="stable")]
        used = np.array([self.height_used, self.width_used], np.float32)
        found: list[NormalizedLandmarkList] = []
        boxes: list[Detection] = []
        for person in people:
            points = person[:51].reshape(_KEYPOINTS, 3).copy()
            points[:, :2] /= used
            y_min, x_min, y_max, x_max = person[51:55] / np.tile(used, 2)
            landmarks = _landmarks(points)
            found.append(landmarks)
            boxes.append(
                Detection(
                    np.array([x_min, y_min, x_max - x_min, y_max - y_min], np.float32),
                    scores=person[55:56].copy(),
                    label_ids=np.zeros(1, np.int32),
                    keypoints=landmarks.xyz[:, :2].copy(),
                )
            )
        context[self.landmarks] = found
        context[self.detections] = boxes


def _first(tensors: TensorsOrOne) -> FloatArray:
    found = tensor_list(tensors)
    if not found:
        raise ValueError("TENSORS is an empty list; a model's output has at least one tensor")
    return found[0].astype(np.float32, copy=False)


def _landmarks(points: FloatArray) -> NormalizedLandmarkList:
    """Landmarks of [17, 3] rows y, x, score."""
    xyz = np.zeros((len(points), 3), np.float32)
    xyz[:, 0], xyz[:, 1] = points[:, 1], points[:, 0]
    return NormalizedLandmarkList(xyz, visibility=points[:, 2].copy())
