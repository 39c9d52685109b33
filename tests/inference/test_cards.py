"""Model cards and the models a user adds."""

import hashlib
from pathlib import Path

import pytest

from graphflow.errors import ModelError
from graphflow.inference import ModelCard, ModelStore
from graphflow.inference.card_files import shipped_cards
from graphflow.inference.cards import COCO_KEYPOINTS, parse_card, read_card

CARD = """
doc: Three points.
input: {size: [48, 64], channels: bgr, mean: [1, 2, 3], deviation: [255, 255, 255]}
box: {padding: 1.1}
keypoints: [top, left_end, right_end]
skeleton: [[top, left_end], [top, right_end]]
decoder: {kind: heatmap, method: dark}
"""


def test_a_card_says_what_a_network_takes_and_gives() -> None:
    card = parse_card(CARD, "card")
    assert (card.input.size, card.input.channels, card.input.mean) == ((48, 64), "bgr", (1.0, 2.0, 3.0))
    assert card.box.padding == 1.1
    assert card.decoder.kind == "heatmap"
    assert card.bones == ((0, 1), (0, 2))
    assert card.flip_order == (0, 2, 1)


def test_flip_pairs_outdo_names() -> None:
    card = parse_card(CARD + "flip_pairs: [[top, right_end]]\n", "card")
    assert card.flip_order == (2, 1, 0)


def test_coco() -> None:
    card = parse_card("{input: {size: [192, 256]}, keypoints: coco, decoder: {kind: simcc}}", "card")
    assert card.keypoints == COCO_KEYPOINTS
    assert card.flip_order == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert len(card.bones) == 16


WRONG = [
    ("[", "not readable as YAML"),
    ("3", "card: Input should be"),
    ("{}", "input: Field required.*keypoints: Field required.*decoder: Field required"),
    (CARD.replace("[48, 64]", "[48]"), "input.size"),
    (CARD.replace("[48, 64]", "[48, 0]"), "input.size.1: Input should be greater than 0"),
    (CARD.replace("bgr", "hsv"), "input.channels: Input should be 'rgb' or 'bgr'"),
    (CARD.replace("[255, 255, 255]", "[255, 0, 255]"), "a deviation of 0 cannot divide"),
    (CARD.replace("heatmap", "magic"), "decoder: Input tag 'magic'"),
    (CARD.replace("method", "metod"), "decoder.heatmap.metod: Extra inputs"),
    (CARD.replace("[top, right_end]]", "[top, tail]]"), "no keypoint 'tail' to join or swap; there are top, left_end"),
    (CARD.replace("[top, left_end, right_end]", "[top, top]"), "each once"),
    (CARD + "flip_pairs: [[top, tail]]\n", "no keypoint 'tail'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_with_a_card_is_said(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"my card: .*{message}"):
        parse_card(text, "my card")


@pytest.mark.parametrize("name", sorted(shipped_cards()))
def test_shipped_cards_are_cards_that_say_where_their_facts_are_from(name: str, tmp_path: Path) -> None:
    card = read_card(name, tmp_path)
    assert card.source.startswith("https://")
    assert card.doc
    assert card.licence


def test_cards_by_path_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(CARD)
    assert read_card(tmp_path / "mine.yaml", tmp_path / "cache").doc == "Three points."
    with pytest.raises(ModelError, match=r"no model card 'hrnet_w99'; known are .*hrnet, .*rtmpose_m"):
        read_card("hrnet_w99", tmp_path)


def test_an_added_model_is_known_to_every_store_of_the_cache(tmp_path: Path) -> None:
    added = ModelCard("mine", "a" * 64, "Mine.", url="https://example.org/mine.onnx")
    ModelStore(tmp_path, offline=True).add(added, CARD)
    later = ModelStore(tmp_path, offline=True)
    assert "mine" in later.names()
    assert "mine" not in later.wheel_names()
    info = later.info("mine")
    assert (info.doc, info.source, info.sha256, info.cached) == ("Mine.", added.url, "a" * 64, False)
    assert read_card("mine", tmp_path).keypoints == ("top", "left_end", "right_end")
    assert "mine" not in ModelStore(tmp_path / "other", offline=True).names()


def test_an_added_model_is_fetched_by_its_address(tmp_path: Path) -> None:
    data = b"not really a network"
    (tmp_path / "served.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    store = ModelStore(tmp_path / "cache", offline=False)
    store.add(ModelCard("mine", digest, "Mine.", url=(tmp_path / "served.onnx").as_uri()))
    assert store.path("mine").read_bytes() == data
    (tmp_path / "served.onnx").write_bytes(b"altered")
    other = ModelStore(tmp_path / "other", offline=False)
    other.add(ModelCard("mine", digest, "Mine.", url=(tmp_path / "served.onnx").as_uri()))
    with pytest.raises(ModelError, match="is not the file expected"):
        other.path("mine")


def test_a_shipped_model_cannot_be_replaced(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, offline=True)
    card = ModelCard("pose_detection", "a" * 64, "Mine.", url="https://example.org/mine.onnx")
    with pytest.raises(ModelError, match="comes with graphflow; choose another name"):
        store.add(card)
    assert not (tmp_path / "cards").exists()


def test_a_damaged_entry_does_no_harm(tmp_path: Path) -> None:
    ModelStore(tmp_path, offline=True).add(ModelCard("mine", "a" * 64, "Mine.", url="https://example.org/mine.onnx"))
    (tmp_path / "cards" / "cut.json").write_text('{"url": "https://')
    (tmp_path / "cards" / "foreign.json").write_text('{"adress": "https://"}')
    store = ModelStore(tmp_path, offline=True)
    assert {"mine", "pose_detection"} <= set(store.names())
    assert not {"cut", "foreign"} & set(store.names())
