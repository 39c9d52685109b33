"""Which of the 468 points of a face mesh, or of the 478 with irises, are joined."""

from __future__ import annotations

from typing import Final

from graphflow.calculators.render import topology
from graphflow.calculators.render.face_mesh import FACE_TESSELATION

from .connections import Connection, along

FACEMESH_LIPS: Final = along(topology.OUTER_LIPS + topology.INNER_LIPS)
FACEMESH_LEFT_EYE: Final = along(topology.LEFT_EYE)
FACEMESH_LEFT_IRIS: Final = along(topology.LEFT_IRIS)
FACEMESH_LEFT_EYEBROW: Final = along(topology.LEFT_EYEBROW)
FACEMESH_RIGHT_EYE: Final = along(topology.RIGHT_EYE)
FACEMESH_RIGHT_EYEBROW: Final = along(topology.RIGHT_EYEBROW)
FACEMESH_RIGHT_IRIS: Final = along(topology.RIGHT_IRIS)
FACEMESH_FACE_OVAL: Final = along(topology.FACE_OVAL)
FACEMESH_NOSE: Final = along(topology.NOSE)
FACEMESH_CONTOURS: Final = (
    FACEMESH_LIPS
    | FACEMESH_LEFT_EYE
    | FACEMESH_LEFT_EYEBROW
    | FACEMESH_RIGHT_EYE
    | FACEMESH_RIGHT_EYEBROW
    | FACEMESH_FACE_OVAL
)
FACEMESH_IRISES: Final = FACEMESH_LEFT_IRIS | FACEMESH_RIGHT_IRIS


def _sides_of_triangles() -> frozenset[Connection]:
    """The sides of the mesh's triangles, each in the sense in which its triangle is gone round.

    Two triangles meet at every edge, and go along it in opposite senses; not so at the rims of the mesh, where only one
    of the senses belongs to a triangle.
    """
    forth = along(FACE_TESSELATION)
    outside = along(
        (
            *topology.FACE_OVAL,
            *_round(*topology.RIGHT_EYE),
            *_round(*reversed(topology.LEFT_EYE)),
            *_round(*topology.INNER_LIPS),
        )
    )
    return (forth | {(end, start) for start, end in forth}) - outside


def _round(there: topology.Path, back: topology.Path) -> tuple[topology.Path, ...]:
    """A rim as a whole, of two paths that start and end at the same points."""
    return there, back[::-1]


FACEMESH_TESSELATION: Final = _sides_of_triangles()
