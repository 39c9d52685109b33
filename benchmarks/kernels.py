"""The numba kernels beside their numpy twins, at the sizes that the pipelines use.

    python -m benchmarks.kernels

The twins are those that the tests compare the kernels with, written over whole arrays where numpy can, so this runs in
a checkout. Each is called as the calculators call it, with what checks its arguments. A ratio of 0.2 is five times as
fast.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.harness import Report, Row

Call = Callable[[], Any]

RANDOM = np.random.default_rng(0)
SIZE = (640, 480)


def measure(rounds: int) -> Report:
    """Every kernel and its twin, in turn."""
    rows = []
    for what, ours, twin in pairs():
        counts = [_enough(call) for call in (ours, twin)]
        row = Row(what, "µs a call", [], [], "numpy")
        for _ in range(rounds):
            row.ours.append(_seconds(ours, counts[0]) * 1e6)
            row.theirs.append(_seconds(twin, counts[1]) * 1e6)
        rows.append(row)
    return Report("kernels", "kernels beside their numpy twins", rows)


def _enough(call: Call) -> int:
    """How many calls take long enough to be timed."""
    for _ in range(3):  # compiled or loaded by now, and past what only first calls do
        call()
    count = 1
    while _seconds(call, count) * count < 0.01:
        count *= 2
    return count


def _seconds(call: Call, count: int) -> float:
    """CPU time of one of so many calls."""
    start = time.thread_time()
    for _ in range(count):
        call()
    return max(time.thread_time() - start, 1e-7) / count


def pairs() -> list[tuple[str, Call, Call]]:
    """What is compared, the kernel, its twin."""
    return [*_image_kernels(), *_point_kernels(), *_rectangle_kernels(), *_filters(), *_tensor_kernels()]


def _image_kernels() -> list[tuple[str, Call, Call]]:
    from graphflow.calculators.image.affine import warp_affine
    from graphflow.calculators.image.recolor import recolor
    from graphflow.calculators.image.region import Region, region_to_image_matrix
    from graphflow.calculators.image.resize import resize_mask
    from graphflow.calculators.image.segmentation_smoothing import smooth_mask
    from graphflow.calculators.image.warp import ValueRange, sample_region

    warp, regions = _twins("image/test_warp"), _twins("image/test_region")
    affine, colors = _twins("image/test_affine"), _twins("image/test_recolor")
    resizing, operations = _twins("image/test_resize"), _twins("image/test_image_operations")
    image = RANDOM.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    mask, previous = RANDOM.random((2, 256, 256), np.float32)
    large = RANDOM.random((SIZE[1], SIZE[0]), np.float32)
    matrix = np.array([[1.1, 0.2, 30.0], [-0.2, 1.1, 90.0]], np.float32)
    color = np.array([10, 200, 90], np.uint8)
    region = Region(*np.array([320, 240, 300, 300, 0.3], np.float32))
    edge = Region(*np.array([60, 240, 300, 300, 0.3], np.float32))
    bytes_of, floats_of = ValueRange(0, 255), ValueRange(0, 1)

    def scaled(at: Region, side: int) -> Any:
        sampled = warp.twin(image, at, side, side, "replicate")
        return sampled.astype(np.float32) * np.float32(floats_of.scale)

    found: list[tuple[str, Call, Call]] = [
        (
            f"region of an image, {side} x {side}{where}",
            lambda at=at, side=side: sample_region(image, at, side, side, floats_of, "replicate"),  # type: ignore[misc]
            lambda at=at, side=side: scaled(at, side),  # type: ignore[misc]
        )
        for at, side, where in ((region, 256, ""), (edge, 256, " at the edge"), (region, 224, ""), (region, 128, ""))
    ]
    return [
        *found,
        (
            "region's matrix",
            lambda: region_to_image_matrix(region, *SIZE),
            lambda: regions.twin_matrix(region, *SIZE),
        ),
        (
            "affine warp, 256 x 256",
            lambda: warp_affine(image, matrix, 256, 256, "zero"),
            lambda: affine.twin(image, matrix, 256, 256, "zero"),
        ),
        (
            "mask to the image's size",
            lambda: resize_mask(mask, *SIZE),
            lambda: resizing.taps(256, SIZE[1]) @ mask @ resizing.taps(256, SIZE[0]).T,
        ),
        (
            "mask smoothed, 256 x 256",
            lambda: smooth_mask(mask, previous, 0.7),
            lambda: operations.twin(mask, previous, 0.7),
        ),
        (
            "image recoloured by a mask",
            lambda: recolor(image, large, color, False, True),
            lambda: colors.twin(image, large, color, False, True),
        ),
        (
            "bytes to floats in planes, 256 x 256",
            lambda: sample_region(image, region, 256, 256, bytes_of, "zero"),
            lambda: warp.twin(image, region, 256, 256, "zero").astype(np.float32),
        ),
    ]


def _point_kernels() -> list[tuple[str, Call, Call]]:
    from graphflow.calculators.geometry import kernels
    from graphflow.calculators.payloads import NormalizedRect

    twins = _twins("geometry/test_kernels")
    face, body = (RANDOM.normal(0.5, 0.2, (count, 3)).astype(np.float32) for count in (468, 33))
    padding = np.array([0.125, 0.0, 0.125, 0.0], np.float32)
    rect = NormalizedRect(0.4, 0.5, 0.3, 0.4, 0.5)
    matrix = kernels.rect_matrix(rect, SIZE)

    def projected(points: Any) -> Any:
        turned = twins._turned(points[:, :2] - np.float32(0.5), rect.rotation)
        flat = turned * [rect.width, rect.height] + [rect.x_center, rect.y_center]
        return np.hstack([flat, points[:, 2:] * rect.width])

    def by_matrix(points: Any) -> Any:
        rows = [
            np.add.reduce([points[:, axis] * matrix[row, axis] for axis in range(3)]) + matrix[row, 3] for row in (0, 1)
        ]
        return np.stack([*rows, points[:, 2] * np.hypot(matrix[0, 0], matrix[1, 0])], axis=1)

    def turned(points: Any) -> Any:
        return np.hstack([twins._turned(points, 0.5), points[:, 2:]])

    def box(points: Any) -> Any:
        bounds = twins.twin_bounds(points, kernels.LOWEST)
        return np.concatenate([bounds[:2], bounds[2:] - bounds[:2]])

    calls: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = [
        (
            "letterbox removed",
            lambda points: kernels.remove_letterbox(points, padding),
            lambda points: twins.twin_remove_letterbox(points, padding),
        ),
        ("projected from a rectangle", lambda points: kernels.project_from_rect(points, rect), projected),
        ("projected by a matrix", lambda points: kernels.project_by_matrix(points, matrix), by_matrix),
        ("turned", lambda points: kernels.rotate(points, 0.5), turned),
        ("box around", lambda points: kernels.surrounding_box(points, kernels.LOWEST), box),
    ]
    return [
        (
            f"{len(points)} points {what}",
            lambda points=points, ours=ours: ours(points),  # type: ignore[misc]
            lambda points=points, twin=twin: twin(points),  # type: ignore[misc]
        )
        for what, ours, twin in calls
        for points in (face, body)
    ]


def _rectangle_kernels() -> list[tuple[str, Call, Call]]:
    from graphflow.calculators.geometry import rect_kernels as kernels
    from graphflow.calculators.payloads import NormalizedRect

    twins = _twins("geometry/test_rect_kernels")
    hand = RANDOM.normal(0.5, 0.1, (21, 3)).astype(np.float32)
    first, second = NormalizedRect(0.4, 0.5, 0.3, 0.4, 0.5), NormalizedRect(0.5, 0.5, 0.3, 0.3)
    change: tuple[Any, ...] = ((2.6, 0.5), (0.25, -0.5), 0.5, kernels.SQUARE_LONG)
    return [
        (
            "hand's rectangle",
            lambda: kernels.hand_from_landmarks(hand, SIZE),
            lambda: twins.twin_hand(hand),
        ),
        (
            "rectangle transformed",
            lambda: kernels.transform_rect(first, SIZE, *change),
            lambda: twins.twin_transform(first, *change),
        ),
        (
            "overlap of two rectangles",
            lambda: kernels.iou(first, second),
            lambda: twins.twin_iou(first, second, by_center=False),
        ),
    ]


def _filters() -> list[tuple[str, Call, Call]]:
    from graphflow.calculators.filters.low_pass import LowPassFilter
    from graphflow.calculators.filters.one_euro import OneEuroFilter
    from graphflow.calculators.filters.relative_velocity import RelativeVelocityFilter

    twins = _twins("filters/test_filters")
    points = RANDOM.normal(0.5, 0.2, (33, 3)).astype(np.float32)

    def running(apply: Callable[[int, Any], Any]) -> Call:
        now = [0]

        def call() -> Any:
            now[0] += 33333
            return apply(now[0], points)

        return call

    def each(make: Callable[[], Any]) -> Call:
        one_each = [make() for _ in range(points.size)]
        return running(
            lambda now, values: [
                twin.apply(now, value, 1.0) for twin, value in zip(one_each, values.ravel(), strict=True)
            ]
        )

    low_pass = LowPassFilter(0.1)
    low_passes = [twins.TwinLowPass() for _ in range(33)]
    return [
        (
            "one-euro filter, 33 points",
            running(OneEuroFilter(30.0, 0.05, 80.0, 1.0).apply),
            each(lambda: twins.TwinOneEuro(30.0, 0.05, 80.0, 1.0)),
        ),
        (
            "velocity filter, 33 points",
            running(RelativeVelocityFilter(5, 10.0).apply),
            each(lambda: twins.TwinVelocity(5, 10.0)),
        ),
        (
            "low-pass filter, 33 values",
            lambda: low_pass.apply(points[:, 0]),
            lambda: [twin.apply(value, np.float32(0.1)) for twin, value in zip(low_passes, points[:, 0], strict=True)],
        ),
    ]


def _tensor_kernels() -> list[tuple[str, Call, Call]]:
    from graphflow.calculators.payloads import NormalizedLandmarkList
    from graphflow.calculators.tensor import detection_kernels as detection
    from graphflow.calculators.tensor.refine_landmarks_from_heatmap import refine_landmarks

    detections, landmarks = _twins("tensor/test_detections"), _twins("tensor/test_landmarks")
    found: list[tuple[str, Call, Call]] = []
    allowed = np.ones(1, np.bool_)
    for name, count, keypoints, side in (("face", 896, 6, 128), ("body", 2254, 4, 224), ("palm", 2016, 7, 192)):
        raw = RANDOM.normal(0, 30, (count, 4 + 2 * keypoints)).astype(np.float32)
        scores = RANDOM.normal(-8, 1, (count, 1)).astype(np.float32)
        scores[:20] = 3
        anchors = RANDOM.uniform(0.1, 1, (count, 4)).astype(np.float32)
        for array in (raw, scores, anchors):
            array.flags.writeable = False
        box = detection.BoxCoding(detection.YXHW, 0, 4, keypoints, *np.full(4, side, np.float32), False, False)
        score = detection.ScoreCoding(True, np.float32(100), np.float32(0.5), False)
        given: tuple[Any, ...] = (raw, scores, anchors)
        found.append(
            (
                f"{count} anchors of the {name} detector",
                lambda given=given, box=box, score=score: detection.decode(*given, allowed, box, score, -1),  # type: ignore[misc]
                lambda given=given, box=box, score=score: detections.twin_decode(*given, box, score),  # type: ignore[misc]
            )
        )
    heatmap = RANDOM.normal(-1, 2, (64, 64, 39)).astype(np.float32)
    xyz = RANDOM.uniform(0.1, 0.9, (39, 3)).astype(np.float32)
    points = NormalizedLandmarkList(xyz, xyz[:, 0], xyz[:, 1])
    corners = np.array([detections.corners(each) for each in detections.random_detections(RANDOM, 20)], np.float32)
    order, kept = np.arange(len(corners)), np.empty(len(corners), np.bool_)

    def suppressed() -> list[int]:
        left: list[Any] = []
        for index in order:
            if all(
                detections.twin_similarity(corners[other], corners[index], detection.JACCARD) <= 0.3 for other in left
            ):
                left.append(index)
        return left

    return [
        *found,
        (
            "39 landmarks refined from a heatmap",
            lambda: refine_landmarks(points, heatmap, 7, 0.5),
            lambda: landmarks.twin_refine(xyz, heatmap, 7, 0.5),
        ),
        (
            "20 boxes suppressed",
            lambda: detection.suppress(corners, order, detection.JACCARD, np.float32(0.3), kept),
            suppressed,
        ),
    ]


def _twins(module: str) -> ModuleType:
    """A test module of the calculators."""
    tests = harness.ROOT / "tests"
    if str(tests) not in sys.path:
        sys.path.insert(0, str(tests))  # for what the test modules share
    path = tests / "calculators" / f"{module}.py"
    spec = importlib.util.spec_from_file_location(f"twins_{path.stem}", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path}: not there; the benchmark of kernels runs in a checkout, with the dev extra installed")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def main() -> None:
    parser = harness.arguments("Time the kernels beside their numpy twins.", rounds=7)
    given = parser.parse_args()
    harness.finish(measure(given.rounds), given.out)


if __name__ == "__main__":
    main()
