"""Reads, sets and copies how visible landmarks are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import FloatArray, LandmarkList, NormalizedLandmarkList


class LandmarkVisibility(Calculator):
    """Gives the visibility of one landmark."""

    fusible = True

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "a list of exactly one")
    visibility = Output("VISIBILITY", float, "0..1; 0 where the landmark has none")

    def process(self, context: Context) -> None:
        landmarks = context[self.landmarks]
        if landmarks is not None:
            _need_one(landmarks)
            context[self.visibility] = 0.0 if landmarks.visibility is None else float(landmarks.visibility[0])


class SetLandmarkVisibility(Calculator):
    """Gives one landmark another visibility."""

    fusible = True

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "a list of exactly one")
    visibility = Input("VISIBILITY", float, "0..1")
    changed = Output("NORM_LANDMARKS", NormalizedLandmarkList)

    def process(self, context: Context) -> None:
        landmarks, visibility = context[self.landmarks], context[self.visibility]
        if landmarks is not None and visibility is not None:
            _need_one(landmarks)
            context[self.changed] = replace(landmarks, visibility=np.array([visibility], np.float32))


class VisibilityCopy(Calculator):
    """Gives landmarks the visibility and presence of others, as world landmarks take them from the image's."""

    fusible = True

    landmarks_from = Input("LANDMARKS_FROM", LandmarkList, optional=True)
    norm_landmarks_from = Input("NORM_LANDMARKS_FROM", NormalizedLandmarkList, optional=True)
    landmarks_to = Input("LANDMARKS_TO", LandmarkList, optional=True)
    norm_landmarks_to = Input("NORM_LANDMARKS_TO", NormalizedLandmarkList, optional=True)
    landmarks_out = Output("LANDMARKS_TO", LandmarkList, optional=True)
    norm_landmarks_out = Output("NORM_LANDMARKS_TO", NormalizedLandmarkList, optional=True)
    copy_visibility: bool = Option(True, "copy the visibility")
    copy_presence: bool = Option(True, "copy the presence")

    def check(self, binding: Binding) -> Iterable[str]:
        connected = binding.slots.keys()
        if (self.landmarks_from in connected) == (self.norm_landmarks_from in connected):
            yield "exactly one of LANDMARKS_FROM and NORM_LANDMARKS_FROM must be connected"
        for kind in ("inputs", "outputs"):
            plain, normalized = (
                (self.landmarks_to, self.norm_landmarks_to)
                if kind == "inputs"
                else (self.landmarks_out, self.norm_landmarks_out)
            )
            if (plain in connected) == (normalized in connected):
                yield f"exactly one of LANDMARKS_TO and NORM_LANDMARKS_TO must be among the {kind}"
        if (self.landmarks_to in connected) != (self.landmarks_out in connected):
            yield "input and output must both be LANDMARKS_TO or both NORM_LANDMARKS_TO"

    def process(self, context: Context) -> None:
        source, target = context[self.landmarks_from], context[self.landmarks_to]
        source = context[self.norm_landmarks_from] if source is None else source
        target = context[self.norm_landmarks_to] if target is None else target
        if source is None or target is None:
            return
        count = len(source)
        if len(target) < count:
            raise ValueError(f"visibility is copied one to one: {count} landmarks to {len(target)}")
        visibility = _or_zeros(source.visibility, count) if self.copy_visibility else _first(target.visibility, count)
        presence = _or_zeros(source.presence, count) if self.copy_presence else _first(target.presence, count)
        normalized = context.is_connected(self.norm_landmarks_out)
        copied = replace(target, xyz=target.xyz[:count], visibility=visibility, presence=presence)
        context[self.norm_landmarks_out if normalized else self.landmarks_out] = copied


def _need_one(landmarks: NormalizedLandmarkList) -> None:
    if len(landmarks) != 1:
        raise ValueError(f"a list of exactly one landmark is needed, not of {len(landmarks)}")


def _or_zeros(scores: FloatArray | None, count: int) -> FloatArray:
    return np.zeros(count, np.float32) if scores is None else scores


def _first(scores: FloatArray | None, count: int) -> FloatArray | None:
    return None if scores is None else scores[:count]
