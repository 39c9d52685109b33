"""Landmarks as MediaPipe's users know them, `results.pose_landmarks.landmark[i].x`: thin views over arrays.

`.array` is the array itself. Nothing is copied until somebody writes. The classes can also be filled by hand, as those
of MediaPipe's `landmark_pb2`, for drawing what another program found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from graphflow.calculators import payloads

from .messages import Fields, Message, Views

_AXES = {"x": 0, "y": 1, "z": 2}


class LandmarkList(Message):
    """Points in metres: `landmark` for one after the other, `array`, `visibility` and `presence` for all at once.

    >>> points = LandmarkList(landmark=[Landmark(x=0.25, y=-0.5), Landmark(z=1.0)])
    >>> points.landmark[0].y, len(points.landmark), points.array.shape
    (-0.5, 2, (2, 3))

    Attributes:
        array: float32 [N, 3], x, y, z; read-only where it comes from a graph.
        visibility: float32 [N] in 0..1, NaN where unset; None where the model does not say.
        presence: as visibility.
    """

    __slots__ = ("array", "presence", "visibility")
    field_names = ("landmark",)
    element: ClassVar[type[Landmark]]

    def __init__(self, landmark: Iterable[Landmark] = ()) -> None:
        self.array: npt.NDArray[np.float32] = np.zeros((0, 3), np.float32)
        self.visibility: npt.NDArray[np.float32] | None = None
        self.presence: npt.NDArray[np.float32] | None = None
        self.landmark.extend(landmark)

    @classmethod
    def of(cls, points: payloads.LandmarkList | payloads.NormalizedLandmarkList) -> Self:
        """The view of what a graph gave."""
        made = cls.__new__(cls)
        made.array, made.visibility, made.presence = points.xyz, points.visibility, points.presence
        return made

    @property
    def landmark(self) -> Landmarks:
        """The points one by one."""
        return Landmarks(self)

    def fields(self) -> Fields:
        return (("landmark", point) for point in self.landmark)


class Landmarks(Views):
    """The points of a list, one by one."""

    __slots__ = ("_points",)

    def __init__(self, points: LandmarkList) -> None:
        self._points = points

    def __len__(self) -> int:
        return len(self._points.array)

    def view(self, index: int) -> Any:
        return self._points.element.at(self._points, index)

    def extend(self, landmarks: Iterable[Landmark]) -> None:
        """Appends copies of landmarks; anything with x, y, z and MediaPipe's `HasField` will do."""
        added = list(landmarks)
        if not added:
            return
        points, before = self._points, len(self)
        xyz = np.array([(point.x, point.y, point.z) for point in added], np.float32)
        points.array = np.concatenate([points.array, xyz])
        for name in ("visibility", "presence"):
            given = [getattr(point, name) if point.HasField(name) else np.nan for point in added]
            known = getattr(points, name)
            if known is None and np.isnan(given).all():
                continue
            old = np.full(before, np.nan, np.float32) if known is None else known
            setattr(points, name, np.concatenate([old, np.array(given, np.float32)]))

    def append(self, landmark: Landmark) -> None:
        """Appends a copy of a landmark."""
        self.extend([landmark])


class Landmark(Message):
    """One point in metres: x, y, z, and visibility and presence in 0..1, which may be unset and are 0 then.

    >>> point = Landmark(x=0.25, visibility=0.5)
    >>> point.x, point.HasField("visibility"), point.HasField("presence"), point.presence
    (0.25, True, False, 0.0)
    """

    __slots__ = ("_index", "_points")
    field_names = ("x", "y", "z", "visibility", "presence")

    def __init__(
        self,
        x: float = 0.0,
        y: float = 0.0,
        z: float = 0.0,
        visibility: float | None = None,
        presence: float | None = None,
    ) -> None:
        self._index = 0
        self._points = LandmarkList()
        self._points.array = np.array([[x, y, z]], np.float32)
        if visibility is not None:
            self._points.visibility = np.array([visibility], np.float32)
        if presence is not None:
            self._points.presence = np.array([presence], np.float32)

    @classmethod
    def at(cls, points: LandmarkList, index: int) -> Self:
        """The view of one point of a list."""
        made = cls.__new__(cls)
        made._points, made._index = points, index
        return made

    @property
    def x(self) -> float:
        """Metres, or a share of the image width; as its list says."""
        return float(self._points.array[self._index, 0])

    @x.setter
    def x(self, value: float) -> None:
        self._set("array", (self._index, 0), value)

    @property
    def y(self) -> float:
        """Metres, or a share of the image height."""
        return float(self._points.array[self._index, 1])

    @y.setter
    def y(self, value: float) -> None:
        self._set("array", (self._index, 1), value)

    @property
    def z(self) -> float:
        """Metres, or on the scale of x; smaller is nearer to the camera."""
        return float(self._points.array[self._index, 2])

    @z.setter
    def z(self, value: float) -> None:
        self._set("array", (self._index, 2), value)

    @property
    def visibility(self) -> float:
        """Chance in 0..1 that the point is not hidden; 0 where unset."""
        return self._confidence("visibility")

    @visibility.setter
    def visibility(self, value: float) -> None:
        self._set("visibility", self._index, value)

    @property
    def presence(self) -> float:
        """Chance in 0..1 that the point is inside the image; 0 where unset."""
        return self._confidence("presence")

    @presence.setter
    def presence(self, value: float) -> None:
        self._set("presence", self._index, value)

    def HasField(self, field_name: str) -> bool:  # noqa: N802
        self.check_field(field_name)
        if field_name in _AXES:
            return True
        known = getattr(self._points, field_name)
        return known is not None and not np.isnan(known[self._index])

    def fields(self) -> Fields:
        return ((name, getattr(self, name)) for name in self.field_names if self.HasField(name))

    def _confidence(self, name: str) -> float:
        known = getattr(self._points, name)
        return float(known[self._index]) if known is not None and not np.isnan(known[self._index]) else 0.0

    def _set(self, name: str, index: Any, value: float) -> None:
        """Writes into the list's own array; what a graph gave is shared and read-only, so it is copied before."""
        known = getattr(self._points, name)
        if known is None:
            known = np.full(len(self._points.array), np.nan, np.float32)
        if not known.flags.writeable:
            known = known.copy()
        known[index] = value
        setattr(self._points, name, known)


class NormalizedLandmark(Landmark):
    """One point of an image: x divided by its width, y by its height, z on the scale of x; else as `Landmark`."""

    __slots__ = ()


class NormalizedLandmarkList(LandmarkList):
    """Points of an image: x divided by its width, y by its height, z on the scale of x; else as `LandmarkList`."""

    __slots__ = ()


LandmarkList.element = Landmark
NormalizedLandmarkList.element = NormalizedLandmark
