"""What the paper's network and its baselines have in common, and what each can do that others cannot."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import Tensor, nn

from models.training.corpora.sequences import SEQUENCES
from models.training.paper import EarlyFusionLstm, EmotionEmbeddingNetwork, LateFusionLstm, MulT
from models.training.paper.last_step import LastStepEncoder, for_running
from models.training.paper.recurrent import Cell

CLASSES, STEPS, EMBEDDING = 4, 6, 12
DIMS = {"text": EMBEDDING, "audio": 7, "vision": 5}
HIDDEN = {"text": EMBEDDING, "audio": 10, "vision": 16}
SUBSETS = [names for n in (1, 2, 3) for names in itertools.combinations(SEQUENCES, n)]

Build = Callable[[Sequence[str]], nn.Module]


def dims(names: Sequence[str]) -> dict[str, int]:
    return {name: DIMS[name] for name in names}


NETWORKS: dict[str, Build] = {
    "paper": lambda names: EmotionEmbeddingNetwork(
        torch.randn(CLASSES, EMBEDDING), dims(names), HIDDEN, bidirectional=True, layers=2, dropout=0.1
    ),
    "early": lambda names: EarlyFusionLstm(dims(names), 16, CLASSES, bidirectional=True, dropout=0.1),
    "late": lambda names: LateFusionLstm(dims(names), HIDDEN, CLASSES, layers=2, dropout=0.1),
    "mult": lambda names: MulT(dims(names), CLASSES, width=16, heads=4, layers=1, dropout=0.1),
}
UNALIGNED = ["paper", "late", "mult"]


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # networks as small as these wait for each other's threads most of the time
    yield
    torch.set_num_threads(threads)


def sequences(count: int, names: Sequence[str] = SEQUENCES, steps: int = STEPS) -> dict[str, Tensor]:
    return {name: torch.randn(count, steps, DIMS[name]) for name in names}


@pytest.mark.parametrize("names", SUBSETS, ids="-".join)
@pytest.mark.parametrize("kind", NETWORKS)
def test_any_subset_of_modalities_gives_a_logit_for_each_emotion(kind: str, names: Sequence[str]) -> None:
    logits = NETWORKS[kind](names)(**sequences(3, names))
    assert logits.shape == (3, CLASSES)
    assert logits.isfinite().all()


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_modality_that_is_not_used_has_no_influence(kind: str) -> None:
    network, given = NETWORKS[kind](("text", "vision")).eval(), sequences(2)
    without = network(given["text"], vision=given["vision"])
    torch.testing.assert_close(network(given["text"], given["audio"], given["vision"]), without)


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_example_scores_alone_as_it_does_among_others(kind: str) -> None:
    network, batch = NETWORKS[kind](SEQUENCES).eval(), sequences(3)
    together = network(**batch)
    for i in range(3):
        alone = network(**{name: values[i : i + 1] for name, values in batch.items()})
        assert alone.shape == (1, CLASSES)
        torch.testing.assert_close(alone[0], together[i])


@pytest.mark.parametrize("names", SUBSETS, ids="-".join)
@pytest.mark.parametrize("kind", NETWORKS)
def test_every_parameter_learns(kind: str, names: Sequence[str]) -> None:
    network = NETWORKS[kind](names)
    network(**sequences(4, names)).square().sum().backward()
    gradients = {n: p.grad for n, p in network.named_parameters()}
    still = [n for n, gradient in gradients.items() if gradient is None or not gradient.any()]
    assert still == [n for n in gradients if n in out_of_reach(network)]


def out_of_reach(network: nn.Module) -> set[str]:
    """Return the weights that the published design never uses.

    It reads a bidirectional encoder at the last step only, where the backward half of the last layer has just
    begun: its recurrent weights have met nothing but the zeros it starts from.
    """
    return {
        f"{name}.weight_hh_l{rnn.num_layers - 1}_reverse"
        for name, rnn in network.named_modules()
        if isinstance(rnn, nn.RNNBase) and rnn.bidirectional
    }


@pytest.mark.parametrize("kind", UNALIGNED)
def test_lengths_may_differ(kind: str) -> None:
    unaligned = {name: sequences(2, steps=5 + 4 * i)[name] for i, name in enumerate(SEQUENCES)}
    assert NETWORKS[kind](SEQUENCES)(**unaligned).shape == (2, CLASSES)


def test_early_fusion_says_that_it_needs_one_length() -> None:
    given = sequences(2) | sequences(2, ["audio"], steps=STEPS + 1)
    with pytest.raises(ValueError, match=r"aligned step by step; their lengths are .*'audio': 7"):
        NETWORKS["early"](SEQUENCES)(**given)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_missing_modality_is_named(kind: str) -> None:
    network = NETWORKS[kind](SEQUENCES)
    with pytest.raises(ValueError, match=r"uses vision and needs it as \[N, T, D\]; got nothing"):
        network(**sequences(2, ["text", "audio"]))
    with pytest.raises(ValueError, match=r"uses audio .* got \[6, 7\]"):
        network(**sequences(2) | {"audio": torch.randn(STEPS, DIMS["audio"])})


@pytest.mark.parametrize("names", [(), ("text", "smell")])
def test_an_unknown_modality_is_refused(names: Sequence[str]) -> None:
    with pytest.raises(ValueError, match="some of text, audio, vision"):
        MulT(dict.fromkeys(names, 3), CLASSES)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_task_that_needs_two_modalities_is_learned(kind: str) -> None:
    """Emotions 0 and 1 show in the words, 2 and 3 in the face; the voice says nothing."""

    def task(count: int) -> tuple[dict[str, Tensor], Tensor]:
        labels = (torch.rand(count, CLASSES) < 0.5).float()
        given = {name: 0.3 * values for name, values in sequences(count).items()}
        given["text"][..., :2] += 2 * labels[:, None, :2] - 1
        given["vision"][..., :2] += 2 * labels[:, None, 2:] - 1
        return given, labels

    network = NETWORKS[kind](SEQUENCES)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    given, labels = task(128)
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(**given), labels).backward()
        optimizer.step()
    unseen, truth = task(100)
    assert ((network.eval()(**unseen) > 0) == truth.bool()).float().mean().item() > 0.95


def test_mult_attends_to_every_step_of_every_other_modality() -> None:
    network = NETWORKS["mult"](SEQUENCES).eval()
    given = {name: sequences(1, steps=5 + 4 * i)[name].requires_grad_() for i, name in enumerate(SEQUENCES)}
    network(**given).sum().backward()
    for values in given.values():
        assert values.grad is not None
        assert values.grad.abs().sum(dim=-1).all()


def test_mult_tells_the_order_of_steps() -> None:
    network, given = NETWORKS["mult"](["text", "audio"]).eval(), sequences(1, ["text", "audio"])
    turned = given | {"audio": given["audio"].flip(1)}
    assert not torch.allclose(network(**given), network(**turned), atol=1e-3)


@pytest.mark.parametrize("options", [{"width": 15, "heads": 3}, {"width": 16, "heads": 5}, {"kernel": 2}])
def test_mult_names_the_size_that_does_not_fit(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="width must be even and a multiple of heads, kernel odd"):
        MulT(DIMS, CLASSES, **options)


def paper(names: Sequence[str] = SEQUENCES) -> EmotionEmbeddingNetwork:
    return EmotionEmbeddingNetwork(torch.randn(CLASSES, EMBEDDING), dims(names), HIDDEN).eval()


@pytest.mark.parametrize("names", SUBSETS, ids="-".join)
def test_further_emotions_need_no_further_weights(names: Sequence[str]) -> None:
    network, given = paper(names), sequences(2, names)
    more = network(**given, emotions=torch.cat((network.emotions, torch.randn(2, EMBEDDING))))
    assert more.shape == (2, CLASSES + 2)
    torch.testing.assert_close(more[:, :CLASSES], network(**given))


def test_an_emotion_that_was_never_trained_on_is_told_apart() -> None:
    """Words show a mixture of the emotions' embeddings; one emotion is kept from training."""
    words = torch.nn.functional.normalize(torch.randn(30, 3) @ torch.randn(3, EMBEDDING), dim=1)

    def task(count: int, among: Tensor) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(among), (count,))
        text = among[chosen][:, None] + 0.1 * torch.randn(count, STEPS, EMBEDDING)
        return text, nn.functional.one_hot(chosen, len(among)).float()

    seen, unseen = words[:-1], words[-1:]
    network = EmotionEmbeddingNetwork(seen, {"text": EMBEDDING}, {"text": EMBEDDING})
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        text, labels = task(128, seen)
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(text), labels).backward()
        optimizer.step()
    text, labels = task(600, words)
    scores = network(text, emotions=unseen)[:, 0]
    shown = labels[:, -1] > 0
    auc = (scores[shown][:, None] > scores[~shown]).float().mean().item()
    assert auc > 0.8


def test_embeddings_of_emotions_are_not_learned() -> None:
    assert "emotions" not in dict(paper().named_parameters())


def test_text_must_have_the_size_of_the_words() -> None:
    with pytest.raises(ValueError, match="the size of the embeddings: 12, not 9"):
        EmotionEmbeddingNetwork(torch.randn(CLASSES, EMBEDDING), DIMS, HIDDEN | {"text": 9})


def test_published_sizes() -> None:
    network = EmotionEmbeddingNetwork(
        torch.randn(6, 300),
        {"text": 300, "audio": 74, "vision": 35},
        {"text": 300, "audio": 200, "vision": 100},
        bidirectional=True,
        layers=2,
    )
    assert network(torch.randn(1, 20, 300), torch.randn(1, 20, 74), torch.randn(1, 20, 35)).shape == (1, 6)


@pytest.mark.parametrize(("layers", "cell"), [(1, "lstm"), (2, "lstm"), (3, "lstm"), (2, "gru")])
def test_steps_that_nothing_is_read_of_can_be_left_out(layers: int, cell: Cell) -> None:
    words = torch.randn(CLASSES, EMBEDDING)
    network = EmotionEmbeddingNetwork(
        words, DIMS, HIDDEN, bidirectional=True, layers=layers, cell=cell
    ).eval()
    running, given = for_running(network), sequences(3)
    assert sum(isinstance(module, LastStepEncoder) for module in running.modules()) == len(DIMS)
    with torch.no_grad():
        torch.testing.assert_close(running(**given), network(**given))


def test_what_reads_in_one_direction_is_left_as_it_is() -> None:
    network = EmotionEmbeddingNetwork(torch.randn(CLASSES, EMBEDDING), DIMS, HIDDEN)
    assert not any(isinstance(module, LastStepEncoder) for module in for_running(network).modules())
