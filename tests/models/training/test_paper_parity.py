"""The paper's network gives the logits of the published implementation.

Two files prove it. One holds weights, inputs and logits of the published implementation and lies beside the
repository, where somebody has it. The other, `paper_parity.npz`, was written by our network once it agreed
with the first, and keeps it so. To write it anew, with the first file in its place:

    python -m tests.models.training.test_paper_parity
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.training.corpora.sequences import SEQUENCES
from models.training.paper import EmotionEmbeddingNetwork

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "parity" / "published_model_outputs.npz"
OURS = Path(__file__).with_name("paper_parity.npz")
TOLERANCE = 1e-5

EMBEDDING, EMOTIONS = 8, 5
DIMS = {"text": EMBEDDING, "audio": 6, "vision": 4}
HIDDEN = {"text": EMBEDDING, "audio": 7, "vision": 5}
CONFIGURATIONS: Mapping[str, dict[str, Any]] = {
    "lstm": {},
    "gru": {"cell": "gru"},
    "bilstm-2": {"bidirectional": True, "layers": 2, "dropout": 0.3},
    "bigru-2": {"cell": "gru", "bidirectional": True, "layers": 2},
    "gru-3": {"cell": "gru", "layers": 3},
    "text": {"modalities": ["text"]},
    "audio": {"modalities": ["audio"], "cell": "gru"},
    "vision": {"modalities": ["vision"], "bidirectional": True},
    "text-audio": {"modalities": ["text", "audio"], "bidirectional": True},
    "audio-vision": {"modalities": ["audio", "vision"], "cell": "gru", "bidirectional": True},
}
PUBLISHED_CONFIGURATIONS: Mapping[str, dict[str, Any]] = {
    "lstm_tav": {},
    "bilstm_tav": {"bidirectional": True, "layers": 2},
    "bigru_tav": {"cell": "gru", "bidirectional": True},
}

Arrays = dict[str, np.ndarray[Any, Any]]


def read_group(path: Path, name: str) -> dict[str, Arrays]:
    """Return `weights` and `inputs` by name, and `logits` under the empty name, of one configuration."""
    found: dict[str, Arrays] = {"weights": {}, "inputs": {}, "logits": {}}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            configuration, kind, *rest = key.split("/")
            if configuration == name:
                found[kind]["".join(rest)] = file[key]
    return found


def our_name(published: str) -> str:
    """Return what we call a weight of the published implementation."""
    if recurrent := re.fullmatch(r"RNNs\.(\d)\.(\w+)", published):
        return f"encoders.{SEQUENCES[int(recurrent[1])]}.rnn.{recurrent[2]}"
    if affine := re.fullmatch(r"affine(Audio|Visual)\.(\w+)", published):
        return f"maps.{'audio' if affine[1] == 'Audio' else 'vision'}.{affine[2]}"
    return {"textEmoEmbs.weight": "emotions", "modality_weights.weight": "weights"}[published]


def published_difference(name: str) -> float:
    """Return by how much our logits differ at most from the published ones."""
    group = read_group(PUBLISHED, name)
    weights = {our_name(key): torch.from_numpy(value) for key, value in group["weights"].items()}
    inputs = {key.replace("visual", "vision"): torch.from_numpy(x) for key, x in group["inputs"].items()}
    network = EmotionEmbeddingNetwork(
        weights["emotions"],
        {key: x.shape[2] for key, x in inputs.items()},
        {key: weights[f"encoders.{key}.rnn.weight_hh_l0"].shape[1] for key in inputs},
        **PUBLISHED_CONFIGURATIONS[name],
    )
    network.load_state_dict(weights)
    return difference(network, inputs, group["logits"][""])


def difference(
    network: EmotionEmbeddingNetwork, inputs: Mapping[str, Tensor], logits: np.ndarray[Any, Any]
) -> float:
    with torch.inference_mode():
        ours = network.eval()(**inputs).numpy()
    assert ours.shape == logits.shape
    return float(np.abs(ours - logits).max())


def our_network(name: str, emotions: Tensor) -> EmotionEmbeddingNetwork:
    options = dict(CONFIGURATIONS[name])
    names = options.pop("modalities", SEQUENCES)
    return EmotionEmbeddingNetwork(emotions, {n: DIMS[n] for n in names}, HIDDEN, **options)


@pytest.mark.parametrize("name", PUBLISHED_CONFIGURATIONS)
def test_logits_are_those_of_the_published_implementation(name: str) -> None:
    if not PUBLISHED.is_file():
        pytest.skip(f"{PUBLISHED} is not on this machine")
    assert published_difference(name) <= TOLERANCE


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_logits_are_those_it_had_when_it_agreed_with_the_published_implementation(name: str) -> None:
    group = read_group(OURS, name)
    weights = {key: torch.from_numpy(value) for key, value in group["weights"].items()}
    network = our_network(name, weights["emotions"])
    network.load_state_dict(weights)
    inputs = {key: torch.from_numpy(value) for key, value in group["inputs"].items()}
    assert difference(network, inputs, group["logits"][""]) <= TOLERANCE


def write_parity() -> None:
    """Write `paper_parity.npz`, unless our network differs from the published implementation."""
    for name in PUBLISHED_CONFIGURATIONS:
        assert published_difference(name) <= TOLERANCE, name
    random = np.random.default_rng(0)
    arrays: Arrays = {}
    for seed, name in enumerate(CONFIGURATIONS):
        torch.manual_seed(seed)
        emotions = random.standard_normal((EMOTIONS, EMBEDDING)).astype(np.float32)
        network = our_network(name, torch.from_numpy(emotions)).eval()
        if hasattr(network, "weights"):  # equal as they start, they would not show which is whose
            torch.nn.init.uniform_(network.weights, 0.1, 0.9)
        inputs = {
            key: random.standard_normal((3, 9, DIMS[key])).astype(np.float32) for key in network.encoders
        }
        with torch.inference_mode():
            logits = network(**{key: torch.from_numpy(x) for key, x in inputs.items()})
        arrays |= {f"{name}/weights/{key}": x.numpy() for key, x in network.state_dict().items()}
        arrays |= {f"{name}/inputs/{key}": x for key, x in inputs.items()}
        arrays[f"{name}/logits"] = logits.numpy()
    np.savez_compressed(OURS, allow_pickle=False, **arrays)


if __name__ == "__main__":
    write_parity()
