"""UpdateFaceLandmarks: a face mesh with the eyes of a model that knows eyes better."""

from __future__ import annotations

from typing import Final

import numpy as np

from graphflow import Calculator, Context, Input, Output

from ..payloads import NormalizedLandmarkList

_EYES: Final = """
33 7 163 144 145 153 154 155 133 246 161 160 159 158 157 173 130 25 110 24 23 22 26 112 243 247 30 29 27 28 56 190 226
31 228 229 230 231 232 233 244 113 225 224 223 222 221 189 35 124 46 53 52 65 143 111 117 118 119 120 121 128 245 156
70 63 105 66 107 55 193
263 249 390 373 374 380 381 382 362 466 388 387 386 385 384 398 359 255 339 254 253 252 256 341 463 467 260 259 257 258
286 414 446 261 448 449 450 451 452 453 464 342 445 444 443 442 441 413 265 353 276 283 282 295 372 340 346 347 348 349
350 357 465 383 300 293 334 296 336 285 417
"""

EYE_INDICES: Final = np.array(_EYES.split(), np.intp)
"""Where the 71 points of the eye that is left in an image, then those of the other, belong in the mesh."""


class UpdateFaceLandmarks(Calculator):
    """Puts 2 x 71 eye landmarks in the places they have in the face mesh.

    Source: MediaPipe UpdateFaceLandmarksCalculator.
    """

    fusible = True

    eyes = Input("NEW_EYE_LANDMARKS", NormalizedLandmarkList, "142, of the eye left in the image first")
    face = Input("FACE_LANDMARKS", NormalizedLandmarkList, "468")
    updated = Output("UPDATED_FACE_LANDMARKS", NormalizedLandmarkList, "468")

    def process(self, context: Context) -> None:
        face, eyes = context[self.face], context[self.eyes]
        if face is None or eyes is None:
            return
        if len(face) != 468 or len(eyes) != len(EYE_INDICES):
            raise ValueError(f"expected 468 face and 142 eye landmarks, not {len(face)} and {len(eyes)}")
        xyz = face.xyz.copy()
        xyz[EYE_INDICES] = eyes.xyz
        visibility = None if face.visibility is None else face.visibility.copy()
        if visibility is not None:
            visibility[EYE_INDICES] = 0 if eyes.visibility is None else eyes.visibility
        context[self.updated] = NormalizedLandmarkList(xyz, visibility, face.presence)
