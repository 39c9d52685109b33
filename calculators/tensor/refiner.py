"""RefinerCrops: what a network that corrects poses is given: the person's crop, and the pose drawn into it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Input, ModelError, Option
from graphflow.context import Binding, Context
from graphflow.inference.cards import NetworkCard, PoseCard

from ..geometry.person_crop import AffineMatrix, inverse_matrix, transformed
from ..payloads import Detection, FloatArray, NormalizedLandmarkList
from .flip_test import unflipped_heatmaps
from .heatmap_encoding import encode_gaussian
from .top_down import Doubles, TopDownCrops, _card


class RefinerCrops(TopDownCrops):
    """Cuts out every person around a pose, and draws that pose as a Gaussian for each keypoint, as its card says.

    The maps follow the image as more channels or as a second tensor. BOXES says where the people are, one for each
    pose; without it the extent of each pose does, and poses without extent are left out. `BatchInference` and
    `TopDownLandmarks` do the rest, with the same card.

    Source: Moon, Chang, Lee, "PoseFix", CVPR 2019, section 5.
    """

    landmarks = Input("LANDMARKS", list[NormalizedLandmarkList], "one for each person, scores as visibility")

    pose_card: str | None = Option(None, "card of the network that found the poses: the keypoints are taken by name")

    def check(self, binding: Binding) -> Iterable[str]:
        wrong = list(super().check(binding))
        if not wrong:
            try:
                self._order(self._read())
            except (ModelError, ValueError) as error:
                wrong = [str(error)]
        return wrong

    def open(self, context: Context) -> None:
        super().open(context)
        self._taken, self._pose = self._order(self._card)

    def process(self, context: Context) -> None:
        image = context[self.image]
        poses: list[NormalizedLandmarkList] | None = context[self.landmarks]
        if image is None or poses is None:
            return
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        boxes = context[self.boxes]
        regions = [_extent(pose) for pose in poses] if boxes is None else boxes
        if not isinstance(regions, list) or len(regions) != len(poses):
            raise ValueError(f"there are {len(poses)} poses; BOXES must be a list of as many boxes")
        matrices: list[AffineMatrix] = []
        maps: list[FloatArray] = []
        for pose, region in list(zip(poses, regions, strict=True))[: self.max_people]:
            matrix = self._matrix(region, size)
            if matrix is not None:
                matrices.append(matrix)
                maps.append(self._drawn(pose, size, matrix))
        context[self.matrices] = [inverse_matrix(matrix) / size[:, None] for matrix in matrices]
        if matrices:
            context[self.tensors] = self._joined(self._tensor(image, matrices), np.stack(maps))

    def _order(self, card: NetworkCard) -> tuple[list[int] | None, PoseCard]:
        """Which of the given keypoints are the network's; all, in their order, without a card of theirs."""
        if card.pose is None:
            raise ValueError(f"the card '{self.card or self.model}' is of no refiner: it has no `pose`")
        if self.pose_card is None:
            return None, card.pose
        given = _card(self.pose_card).keypoints
        missing = [name for name in card.keypoints if name not in given]
        if missing:
            raise ValueError(f"the refiner needs {', '.join(missing)}, which card '{self.pose_card}' does not have")
        return [given.index(name) for name in card.keypoints], card.pose

    def _drawn(self, pose: NormalizedLandmarkList, size: Doubles, matrix: AffineMatrix) -> FloatArray:
        points = pose.xyz[:, :2] * size
        scores = np.ones(len(points)) if pose.visibility is None else np.asarray(pose.visibility)
        if self._taken is not None:
            points, scores = points[self._taken], scores[self._taken]
        if len(points) != len(self._card.keypoints):
            raise ValueError(
                f"a pose has {len(points)} keypoints, the refiner's card {len(self._card.keypoints)}; `pose_card` "
                "takes them by name"
            )
        known = (scores >= self._pose.min_score) & np.isfinite(points).all(axis=1)
        there = transformed(np.where(known[:, None], points, 0.0), matrix)
        shape = self._card.input.size
        maps, _ = encode_gaussian(there, known.astype(np.float32), shape, shape, self._pose.sigma, "unbiased")
        return maps * np.float32(self._pose.peak)

    def _joined(self, images: FloatArray, maps: FloatArray) -> list[FloatArray]:
        card = self._card
        if self.flip_test:
            maps = np.concatenate([maps, unflipped_heatmaps(maps, card.flip_order)])
        if card.input.layout == "nhwc":
            maps = np.ascontiguousarray(maps.transpose(0, 2, 3, 1))
        if self._pose.separate:
            return [images, maps]
        return [np.concatenate([images, maps], axis=1 if card.input.layout == "nchw" else 3)]


def _extent(pose: NormalizedLandmarkList) -> Detection:
    low, high = pose.xyz[:, :2].min(axis=0), pose.xyz[:, :2].max(axis=0)
    return Detection(np.concatenate([low, high - low]).astype(np.float32))
