"""What the compiled module is told wrongly is refused: any of it would read or write outside of memory."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid._native import Inference, Plan
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.native.compile_images import ACTIVATIONS
from pellucid.executors.native.executor import NativeExecutor

WINDOW = [3, 3, 1, 1, 1, 1, 1, 1]  # size, stride, dilation, before
RULE = {
    **dict.fromkeys(("momentum", "beta1", "beta2", "decay", "epsilon", "weight_decay"), 0.0),
    **dict.fromkeys(("bound", "norm_bound"), float("inf")),
}


def pictures(*, owner=Plan, is_compact=False):
    """(plan or inference, its pictures) of 4 x 6 pixels and 5 channels."""
    made = owner(120, 0) if owner is Plan else owner(120)
    return made, made.begin_images(4, 6, 5, is_compact)


def convolve(images, *, below=0, size=(4, 6), filters=8, window=WINDOW, groups=1, activation=1):
    return images.add_convolution(below, *size, filters, window, groups, activation, True, 0.0, 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"below": 1},
        {"below": -1},
        {"size": (0, 6)},
        {"size": (4, -6)},
        {"size": (1 << 40, 1 << 40)},
        {"filters": 0},
        {"filters": 1 << 60},
        {"filters": 7, "groups": 5},
        {"groups": 2},
        {"groups": 0},
        {"activation": len(ACTIVATIONS)},
        {"activation": -1},
        {"window": WINDOW[:7]},
        {"window": [0, *WINDOW[1:]]},
        {"window": [3, 3, 0, 1, 1, 1, 1, 1]},
        {"window": [3, 3, 1, 1, 1, 0, 1, 1]},
        {"window": [3, 3, 1, 1, 1, 1, -1, 1]},
        {"window": [1 << 20, *WINDOW[1:]]},
        {"window": [1 << 19, 1 << 19, *WINDOW[2:]]},
    ],
    ids=str,
)
def test_convolutions(wrong):
    _, images = pictures()
    convolve(images)
    if "below" in wrong:
        wrong = {"below": wrong["below"] + (wrong["below"] > 0)}
    with pytest.raises(ValueError):
        convolve(images, **wrong)


@pytest.mark.parametrize(
    "add",
    [
        lambda images: images.add_pooling(0, 2, 3, [2, 2, 2, 2, 0], True),
        lambda images: images.add_pooling(0, 2, 3, [2, 0, 2, 2, 0, 0], True),
        lambda images: images.add_pooling(0, 2, 3, [2, 2, 0, 2, 0, 0], False),
        lambda images: images.add_pooling(0, 2, 3, [2, 2, 2, 2, -1, 0], False),
        lambda images: images.add_pooling(0, 0, 3, [2, 2, 2, 2, 0, 0], False),
        lambda images: images.add_pooling(3, 2, 3, [2, 2, 2, 2, 0, 0], False),
        lambda images: images.add_batch_normalization(0, 0.9, 1e-3, 99),
        lambda images: images.add_batch_normalization(3, 0.9, 1e-3, 0),
        lambda images: images.add_layer_normalization(-1, 1e-3),
        lambda images: images.add_dropout(7, 0.5, 1, False),
        lambda images: images.add_dropout(0, 1.0, 1, False),
        lambda images: images.add_dropout(0, -0.1, 1, True),
        lambda images: images.add_dropout(0, float("nan"), 1, True),
        lambda images: images.add_rescale(0, [1.0] * 4, [0.0] * 5),
        lambda images: images.add_rescale(0, [1.0] * 5, [0.0] * 4),
        lambda images: images.add_rescale(1, [1.0] * 5, [0.0] * 5),
        lambda images: images.add_flatten(1),
        lambda images: images.add_sum(0, 1, 0),
        lambda images: images.add_sum(0, 0, 42),
        lambda images: images.add_sum(0, images.add_flatten(0), 0),
        lambda images: images.add_sum(0, images.add_pooling(0, 6, 4, [1, 1, 1, 1, 0, 0], True), 0),
    ],
)
def test_other_nodes(add):
    with pytest.raises(ValueError):
        add(pictures()[1])


def encode(made, *, bins_of=(1, 0, 2), **numbers):
    lists = {name: [1.0] * 3 for name in ("low", "slope", "least", "most")} | numbers
    made.add_encoding(bins_of, *lists.values(), 0.5)


@pytest.mark.parametrize("owner", [Plan, Inference])
def test_an_encoding_has_numbers_for_each_bin_and_comes_first(owner):
    of_three = (3, 0) if owner is Plan else (3,)
    for wrong in (
        *({"bins_of": counts} for counts in ((1, 2), (1, 0, 1), (1, 0, 3), (4, 0, -1), (1 << 62, 1 << 62, 3), ())),
        *({name: [1.0] * count} for name in ("low", "slope", "least", "most") for count in (0, 2, 4)),
    ):
        with pytest.raises(ValueError):
            encode(owner(*of_three), **wrong)
    made = owner(*of_three)
    encode(made)
    with pytest.raises(ValueError):
        encode(made)
    with pytest.raises(ValueError):
        made.begin_images(1, 1, 3, False)
    made = owner(*of_three)
    made.add_affine(3, 0, True, *[0.0] * 2 * (owner is Plan))
    with pytest.raises(ValueError):
        encode(made)


def embed(made, *, columns=(0, 2), values=(5, 7), widths=(2, 1)):
    made.add_embedding(columns, values, widths, 0.0, 0.0)


@pytest.mark.parametrize("owner", [Plan, Inference])
def test_the_layers_of_a_table_fit_together_and_come_first(owner):
    of_three = (3, 0) if owner is Plan else (3,)
    for wrong in (
        *({"columns": columns} for columns in ((0, 3), (-1, 2), (1, 1), (0,), ())),
        *({"values": values} for values in ((0, 7), (5, -1), (5,), (1 << 62, 7), ((1 << 63) - 1, 7))),
        *({"widths": widths} for widths in ((0, 1), (2, -1), (2, 1, 1), (1 << 40, 1))),
    ):
        with pytest.raises(ValueError):
            embed(owner(*of_three), **wrong)
    for wrong in (([0, 3], 4), ([-1], 4), ([], 4), ([0], 0), ([0], -3), ([0, 1], 1 << 60)):
        with pytest.raises(ValueError):
            owner(*of_three).add_waves(*wrong)
    made = owner(*of_three)
    embed(made)
    made.add_front_scaling(2.0)
    with pytest.raises(ValueError):
        encode(made)  # the embedding has made four numbers of three
    encode(made, bins_of=(1, 0, 2, 0))
    with pytest.raises(ValueError):
        made.begin_images(1, 1, 3, False)
    made.add_affine(3, 0, True, *[0.0] * 2 * (owner is Plan))
    for too_late in (embed, encode, lambda made: made.add_front_scaling(1.0), lambda made: made.add_waves([0], 1)):
        with pytest.raises(ValueError):
            too_late(made)


@pytest.mark.parametrize("owner", [Plan, Inference])
def test_the_order_of_a_description(owner):
    made, images = pictures(owner=owner)
    more = (0.0, 0.0) if owner is Plan else ()
    convolve(images)
    for too_early in (
        lambda: made.begin_images(4, 6, 5, False),
        lambda: made.add_affine(3, 0, True, *more),
        lambda: made.add_normalization(*[0.9] * (owner is Plan), 1e-3),
        lambda: made.add_scaling(1.0),
    ):
        with pytest.raises(ValueError):
            too_early()
    made.end_images()
    for too_late in (
        made.end_images,
        lambda: made.begin_images(4, 6, 5, False),
        lambda: convolve(images),
        lambda: images.add_flatten(0),
        lambda: images.add_sum(0, 0, 0),
    ):
        with pytest.raises(ValueError):
            too_late()
    flat = owner(6, 0) if owner is Plan else owner(6)
    for size in ((1, 1, 5), (0, 1, 6), (-2, -3, 1), (1 << 62, 4, 6)):
        with pytest.raises(ValueError):
            flat.begin_images(*size, False)
    with pytest.raises(ValueError):
        flat.end_images()
    flat.add_affine(3, 0, True, *more)
    with pytest.raises(ValueError):
        flat.begin_images(1, 1, 6, False)


def test_a_plan_without_end_is_not_prepared_and_a_prepared_one_stays_as_it_is():
    plan, images = pictures()
    convolve(images)
    with pytest.raises(ValueError):
        plan.prepare(2, 1)
    plan.end_images()
    with pytest.raises(ValueError):
        plan.prepare(2, 1)  # no affine layer
    plan.add_affine(3, 0, True, 0.0, 0.0)
    for batch in (0, -1, 1 << 40):
        with pytest.raises(ValueError):
            plan.prepare(batch, 1)
    plan.prepare(2, 1)
    for change in (
        lambda: plan.add_affine(3, 0, True, 0.0, 0.0),
        lambda: plan.add_dropout(0.5, 1),
        lambda: plan.add_normalization(0.9, 1e-3),
        lambda: plan.add_scaling(1.0),
        lambda: plan.set_optimizer(3, **RULE),
        plan.use_bf16,
    ):
        with pytest.raises(ValueError):
            change()


@pytest.mark.parametrize("owner", [Plan, Inference])
def test_pixels_without_gaps_are_for_convolutions_of_one_group(owner):
    """Every other node reads whole vectors of a pixel, which then reach into the next one."""
    for add in (
        lambda images: images.add_pooling(0, 2, 3, [2, 2, 2, 2, 0, 0], True),
        lambda images: images.add_batch_normalization(0, 0.9, 1e-3, 0),
        lambda images: convolve(images, groups=5, filters=5),
        lambda images: images.add_sum(convolve(images, filters=5), 0, 0),
    ):
        made, images = pictures(owner=owner, is_compact=True)
        add(images)
        with pytest.raises(ValueError):
            made.end_images()
    made, images = pictures(owner=owner, is_compact=True)
    convolve(images, below=images.add_rescale(0, [2.0] * 5, [1.0] * 5))
    made.end_images()


def test_windows_that_need_too_wide_margins():
    plan, images = pictures()
    convolve(images, size=(900_000, 900_000), filters=1, window=[2, 2, 1_000_000, 1_000_000, 1, 1, 0, 0])
    with pytest.raises(ValueError, match="too large"):
        plan.end_images()


def test_a_batch_that_does_not_fit_leaves_the_plan_unprepared():
    plan = Plan(61_000 * 1_000_000 * 16, 0)
    images = plan.begin_images(61_000, 1_000_000, 16, False)
    images.add_pooling(0, 1, 1, [61_000, 1_000_000, 1, 1, 0, 0], False)
    plan.end_images()
    plan.add_affine(3, 0, True, 0.0, 0.0)
    with pytest.raises(MemoryError):
        plan.prepare(1 << 21, 1)  # more bytes than there are addresses
    parameters, state = np.zeros(16 * 3 + 3, np.float32), np.zeros(0, np.float32)
    with pytest.raises(ValueError, match="not prepared"):
        plan.load(parameters, state, [])


def test_steps_have_labels_or_targets():
    plan = Plan(4, 0)
    plan.add_affine(3, 0, True, 0.0, 0.0)
    plan.prepare(2, 1)
    x, rows, rates = np.zeros((2, 4), np.float32), np.arange(2), np.zeros(1)
    losses, scores = np.zeros(1), np.zeros(1)
    with pytest.raises(ValueError, match="neither labels nor targets"):
        plan.run(x, None, None, None, rows, rates, 0, 0, 1, losses, scores)
    plan.run(x, np.zeros(2, np.int32), None, None, rows, rates, 0, 0, 1, losses, scores)
    plan.run(x, None, np.eye(2, 3, dtype=np.float32), np.ones(2), rows, rates, 0, 0, 1, losses, scores)
    np.testing.assert_allclose(losses, np.log(3), rtol=1e-6)


def test_an_inference_that_grows_behind_its_parameters_is_not_run():
    inference, images = pictures(owner=Inference)
    convolve(images)
    inference.bind(np.zeros(0, np.float32), np.zeros(0, np.float32))
    x, to = np.zeros((2, 120), np.float32), np.zeros((2, 192), np.float32)
    with pytest.raises(ValueError):
        inference.run(x, to, 0, 1)
    inference.end_images()
    with pytest.raises(ValueError):
        inference.run(x, to, 0, 1)


def test_an_error_of_memory_names_what_helps():
    network = pl.Network([pl.Input(1 << 14, 1 << 14), pl.GlobalAveragePooling2D(), pl.Classification(2)])
    with pytest.raises(MemoryError, match="1073741824 samples; use a smaller batch_size"):
        NativeExecutor(network, Rules(pl.GradientDescent(0.1)), OptimizerState(), 1 << 30, threads=1)


@pytest.mark.parametrize("owner", [Plan, Inference])
@pytest.mark.parametrize("ensemble", [-1, 0, 1, 5000, 1 << 40])
def test_ensembles_of_a_wrong_size(owner, ensemble):
    made = owner(4, 0) if owner is Plan else owner(4)
    with pytest.raises(ValueError, match="no such ensemble"):
        made.add_scales(ensemble, 0, False)


@pytest.mark.parametrize("owner", [Plan, Inference])
def test_an_ensemble_has_one_size_and_heads_come_last(owner):
    made, penalty = (owner(4, 0), (0.0, 0.0)) if owner is Plan else (owner(4), ())
    with pytest.raises(ValueError, match="no such heads"):
        made.add_heads(3, True, *penalty)
    with pytest.raises(ValueError, match="no such activation"):
        made.add_scales(3, len(ACTIVATIONS), False)
    made.add_scales(3, 0, False)
    with pytest.raises(ValueError, match="of another size"):
        made.add_scales(2, 0, False)
    with pytest.raises(ValueError, match="no such heads"):
        made.add_heads(0, True, *penalty)
    with_images, _ = pictures(owner=owner)
    with pytest.raises(ValueError, match="cannot be added here"):
        with_images.add_scales(3, 0, False)


def test_a_batch_of_an_ensemble_counts_its_rows():
    plan = Plan(4, 0)
    plan.add_scales(4096, 0, False)
    plan.add_heads(1, True, 0.0, 0.0)
    plan.set_loss(2, 0.0, ())
    plan.set_optimizer(0, **RULE)
    with pytest.raises(ValueError, match="no such batch"):
        plan.prepare(1 << 20, 1)
