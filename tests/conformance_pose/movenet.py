"""MoveNet: what goes into the model, how its output leads to the next crop, and how near ours is to LiteRT's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from graphflow.calculators.filters.one_euro import OneEuroFilter
from graphflow.calculators.geometry.movenet_crop import (
    CropBox,
    CropReference,
    CropSmoother,
    central_square,
    next_crop,
    padded_square,
)
from graphflow.calculators.tensor.movenet_input import crop_and_resize, pad_then_resize, resize_with_pad
from graphflow.calculators.tensor.movenet_keypoints import person_score

from .cases import Array, Case, Topic, differences

_CLOSE = 1e-6
_WAYS = ("resize_with_pad", "crop_and_resize", "pad_then_cv2_resize")
_MODEL = "models/movenet_single_pose_lightning_ptq.tflite"


def _data(topic: Topic) -> Path:
    shared: Path = topic.folder.parents[2]
    return shared / "data"


def _in_image(raw: Array, crop: CropBox) -> Array:
    """Keypoints normalized by the image, of those normalized by a crop; in double precision, as in JavaScript."""
    points = raw.reshape(17, 3).astype(np.float64)
    points[:, 0] = crop.y_min + points[:, 0] * (crop.y_max - crop.y_min)
    points[:, 1] = crop.x_min + points[:, 1] * (crop.x_max - crop.x_min)
    return points


def _in_image_single(raw: Array, crop: CropBox, width: int, height: int) -> Array:
    """The same in the steps and the precision of the tutorial, whose next crops are sensitive to the last bits."""
    points: Array = raw.reshape(17, 3).astype(np.float32)
    sides = ((0, crop.y_min, crop.y_max, height), (1, crop.x_min, crop.x_max, width))
    for column, low, high, pixels in sides:
        extent = np.float32(high) - np.float32(low)
        scaled = np.float32(extent * np.float32(pixels)) * points[:, column]
        points[:, column] = (np.float32(low * pixels) + scaled) / np.float32(pixels)
    return points


def _in_image_example(raw: Array, crop: CropBox, width: int, height: int) -> Array:
    """The same in the steps and the precision of the TFLite example."""
    points: Array = raw.reshape(17, 3).astype(np.float32)
    for column, low, high in ((0, crop.y_min, crop.y_max), (1, crop.x_min, crop.x_max)):
        extent = np.float32(high) - np.float32(low)
        points[:, column] = np.float32(low) + extent * points[:, column]
    return points


def _single_image(case: Case) -> Iterator[str]:
    import cv2

    path = str(_data(case.topic) / case.params["image"])
    image = cv2.cvtColor(np.asarray(cv2.imread(path)), cv2.COLOR_BGR2RGB)
    crop = padded_square(image.shape[1], image.shape[0])
    yield from differences("crop_region", crop, case.params["crop_region"], _CLOSE)
    made = {
        "resize_with_pad": resize_with_pad(image, 192).astype(np.uint8),
        "crop_and_resize": crop_and_resize(image, crop, 192).astype(np.uint8),
        "pad_then_cv2_resize": pad_then_resize(image, crop, 192),
    }
    for way in _WAYS:
        off = np.abs(made[way].astype(int) - case.input(way).astype(int)).mean()
        if off > 1.0:
            yield f"{way}: the model's input is {off:.3f} of 255 off in the mean"
        if f"{way}_keypoints" in case.outputs:
            got = _in_image(case.output(f"{way}_raw_xnnpack"), crop)
            yield from differences(f"{way}_keypoints", got, case.output(f"{way}_keypoints"), _CLOSE)
    yield from _spread_of_all_images(_Key(case.topic))


class _Key:
    """A topic as an argument of a cached function."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.topic.folder == self.topic.folder

    def __hash__(self) -> int:
        return hash(self.topic.folder)


@functools.cache
def _spread_of_all_images(key: _Key) -> tuple[str, ...]:
    """The int8 model is unstable across kernels: only distributions over all images can be compared."""
    from graphflow.inference import open_session

    session = open_session(str(_data(key.topic) / _MODEL))
    apart: list[Array] = []
    for case in key.topic.cases.values():
        if case.kind != "single image":
            continue
        for way in _WAYS:
            got = _output(session, case.input(way))
            want = case.output(f"{way}_raw_xnnpack").reshape(17, 3)
            sure = (got[:, 2] > 0.3) & (want[:, 2] > 0.3)
            apart.append(np.abs(got[sure, :2] - want[sure, :2]).reshape(-1))
    measured = np.percentile(np.concatenate(apart), [50, 90])
    recorded = key.topic.document["kernel_difference"]["xnnpack_vs_reference"]["coordinates"]
    found = []
    for name, value in zip(("p50", "p90"), measured, strict=True):
        if value > 2 * recorded[name]:
            found.append(f"{name} of the distances to LiteRT is {value:.4f}, LiteRT's own spread {recorded[name]}")
    return tuple(found)


def _output(session: Any, image: Array) -> Array:
    points: Array = np.asarray(session.run([image[None]])[0]).reshape(17, 3)
    return points


def _video(case: Case, reference: CropReference | None) -> Iterator[str]:
    """Frame by frame from the recorded crop; and all frames on end, where what is rounded away adds up."""
    width, height = case.params["size_wh"]
    whole = padded_square(width, height)
    mapped = _in_image_example if reference == "tflite_example" else _in_image_single
    on_end = whole
    for frame, raw in enumerate(case.output("raw")):
        recorded = CropBox(*(float(side) for side in case.output("crop_region")[frame]))
        yield from differences(f"crop_region of frame {frame} on end", on_end, recorded, 1e-5)
        points = mapped(raw, recorded, width, height)
        yield from differences(f"keypoints of frame {frame}", points, case.output("keypoints")[frame], _CLOSE)
        if reference is None:
            continue
        crop = next_crop(points, width, height, reference) or whole
        wanted = case.output("next_crop_region")[frame]
        yield from differences(f"next_crop_region of frame {frame}", crop, wanted, _CLOSE)
        on_end = next_crop(mapped(raw, on_end, width, height), width, height, reference) or whole


def _tfjs_video(case: Case) -> Iterator[str]:
    params = case.params
    width, height = params["size_wh"]
    given = params["keypoint_filter"]
    smoother = CropSmoother(params["crop_filter_alpha"])
    numbers = (given["frequency"], given["minCutOff"], given["beta"], given["derivateCutOff"])
    filtered = OneEuroFilter(*numbers, "tfjs", given["thresholdCutOff"], given["thresholdBeta"])
    crop = central_square(width, height)
    for frame, raw in enumerate(case.output("raw")):
        yield from differences(f"crop_region of frame {frame}", crop, case.output("crop_region")[frame], _CLOSE)
        found = person_score(raw[:, 2]) >= params["min_pose_score"]
        yield from differences(f"found in frame {frame}", found, case.output("found")[frame])
        if not found:
            smoother.reset()
            filtered.reset()
            crop = central_square(width, height)
            continue
        points = _in_image(raw, crop)
        if params["smoothing"]:
            points[:, :2] = filtered.apply(int(frame * params["timestamp_step_us"]), points[:, :2])
        yield from differences(f"keypoints of frame {frame}", points, case.output("keypoints")[frame], _CLOSE)
        crop = smoother.apply(next_crop(points, width, height) or padded_square(width, height))


def _crop_table(case: Case) -> Iterator[str]:
    rows = zip(case.input("keypoints"), case.input("image_size_wh").tolist(), strict=True)
    for row, (keypoints, (width, height)) in enumerate(rows):
        whole = padded_square(width, height)
        usual = next_crop(keypoints, width, height) or whole
        faulty = next_crop(keypoints, width, height, "tflite_example") or whole
        for name, got in (("tutorial", usual), ("tfjs", usual), ("tflite_example", faulty)):
            yield from differences(f"{name}, row {row}", got, case.output(name)[row], _CLOSE)


def _first_crop(case: Case) -> Iterator[str]:
    for name in case.outputs:
        for size, want in case.output(name).items():
            width, height = (int(side) for side in size.split("x"))
            got = central_square(width, height) if name == "tfjs_first_frame" else padded_square(width, height)
            sides = want if isinstance(want, list) else [want[key] for key in ("yMin", "xMin", "yMax", "xMax")]
            yield from differences(f"{name} of {size}", got, sides, _CLOSE)


CHECKS = {
    "single image": _single_image,
    "video, letterbox": lambda case: _video(case, None),
    "video, smart crop of the TF Hub tutorial": lambda case: _video(case, "tutorial"),
    "video, smart crop of the TFLite example": lambda case: _video(case, "tflite_example"),
    "video, smart crop of tfjs-models": _tfjs_video,
    "determine_crop_region": _crop_table,
    "init_crop_region": _first_crop,
}
