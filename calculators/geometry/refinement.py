"""Combines the landmarks of several models into one list, as a face mesh with lips, eyes and irises."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from pydantic import Field

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import FloatArray, NormalizedLandmarkList


class ZRefinementNone(OptionGroup):
    """Depth stays what earlier refinements made it."""


class ZRefinementCopy(OptionGroup):
    """Depth is taken from the landmarks."""


class ZRefinementAssignAverage(OptionGroup):
    """Depth of all is the mean depth of some of the refined landmarks."""

    indexes_for_average: list[int]


class ZRefinement(OptionGroup):
    """Where depth comes from; exactly one of the three."""

    none: ZRefinementNone | None = None
    copy_: ZRefinementCopy | None = Field(None, alias="copy")
    assign_average: ZRefinementAssignAverage | None = None


class Refinement(OptionGroup):
    """What one list of landmarks refines: the index in the result for each of its landmarks."""

    indexes_mapping: list[int]
    z_refinement: ZRefinement


class LandmarksRefinement(Calculator):
    """Writes lists of landmarks, in order, over the places of one refined list."""

    fusible = True

    landmarks = Input("LANDMARKS", NormalizedLandmarkList, "one for each refinement", repeated=True)
    refined = Output("REFINED_LANDMARKS", NormalizedLandmarkList, "without visibility and presence")
    refinement: list[Refinement] = Option([], "what each list refines")

    def check(self, binding: Binding) -> Iterable[str]:
        connected, wanted = len(binding.slots.get(self.landmarks, ())), len(self.refinement)
        if connected != wanted:
            yield f"as many LANDMARKS as refinements are needed: {connected} streams, {wanted} refinements"
        for number, refinement in enumerate(self.refinement):
            yield from _problems(number, refinement)
        used = {index for refinement in self.refinement for index in refinement.indexes_mapping}
        missing = sorted(set(range(max(used, default=0) + 1)) - used)
        if missing or min(used, default=0) < 0:
            yield f"the indexes of all mappings must cover 0 to the largest without gaps; missing: {missing[:5]}"

    def open(self, context: Context) -> None:
        self._mappings = [np.array(refinement.indexes_mapping, np.intp) for refinement in self.refinement]
        self._count = 1 + max(int(mapping.max()) for mapping in self._mappings)

    def process(self, context: Context) -> None:
        lists = context[self.landmarks]
        if any(landmarks is None for landmarks in lists):
            return
        xyz = np.zeros((self._count, 3), np.float32)
        for landmarks, mapping, refinement in zip(lists, self._mappings, self.refinement, strict=True):
            if len(landmarks) != len(mapping):
                raise ValueError(f"{len(landmarks)} landmarks came for a mapping of {len(mapping)}")
            xyz[mapping, :2] = landmarks.xyz[:, :2]
            _refine_z(xyz, landmarks.xyz, mapping, refinement.z_refinement)
        context[self.refined] = NormalizedLandmarkList(xyz)


def _refine_z(xyz: FloatArray, given: FloatArray, mapping: npt.NDArray[np.intp], how: ZRefinement) -> None:
    if how.copy_ is not None:
        xyz[mapping, 2] = given[:, 2]
    elif how.assign_average is not None:
        chosen = how.assign_average.indexes_for_average
        # added up one by one in double, as there: np.sum adds in another order
        xyz[mapping, 2] = np.float32(sum(xyz[chosen, 2].tolist()) / len(chosen))


def _problems(number: int, refinement: Refinement) -> Iterable[str]:
    if not refinement.indexes_mapping:
        yield f"refinement {number} has no indexes_mapping"
    how = refinement.z_refinement
    if sum(each is not None for each in (how.none, how.copy_, how.assign_average)) != 1:
        yield f"refinement {number} needs exactly one z_refinement: none, copy or assign_average"
    if how.assign_average is not None and not how.assign_average.indexes_for_average:
        yield f"refinement {number} averages over no indexes_for_average"
