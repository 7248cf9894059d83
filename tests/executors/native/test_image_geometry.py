"""Windows of every geometry, bit by bit: convolutions, poolings and residual sums with numbers that float32 need not round.

See exactness.py. Pooling takes means of 1, 2, 4 or 16 pixels here.
"""

from __future__ import annotations

import numpy as np
import pytest
from exactness import assert_exact, halves, power_of_two_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import ISAS, fitted, numbers

import pellucid as pl

BELOW = [pl.Conv2D(4, 2, "relu")]  # so that the layer above it must hand a gradient down


def example(layers, shape, batch, seed, *, pixels=False):
    """(network, x, y, weights) with numbers of few bits; ``pixels`` are the bytes 0 and 255, which become -1 and 1."""
    rng = np.random.default_rng(seed)
    scale = [pl.Rescale(2.0, -1.0)] if pixels else []
    network = pl.Network([pl.Input(*shape), *scale, *layers, pl.Regression(2, "mae")], seed=seed)
    for name in network.parameters:
        kept = network.parameters[name].shape
        dense = rng.random(kept) < min(
            1.0, 12 / np.prod(kept[:-1], initial=1)
        )  # few terms a sum, so that it keeps few bits
        network.parameters[name] = np.where(dense, halves(rng, kept), 0.0)
    x = (
        255 * rng.integers(0, 2, (batch, *shape), dtype=np.uint8)
        if pixels
        else rng.integers(-2, 3, (batch, *shape)).astype("f4")
    )
    return network, x, halves(rng, (batch, 2), 9), power_of_two_weights(rng, batch)


def check(layers, shape, batches=(1, 3, 31), **options):
    """One step with each batch, on another number of threads each time."""
    for batch in batches:
        network, x, y, weights = example(layers, shape, batch, seed=batch + sum(shape), **options)
        assert_exact(network, x, y, sample_weight=weights, threads=1 + batch % 3)


CONVOLUTIONS = {
    "1x1": (pl.Conv2D(16, 1), (5, 7)),
    "2x2": (pl.Conv2D(5, 2), (5, 7)),
    "3x3": (pl.Conv2D(17, 3), (7, 5)),
    "5x5": (pl.Conv2D(3, 5), (6, 9)),
    "3x2": (pl.Conv2D(8, (3, 2)), (6, 5)),
    "larger than the picture": (pl.Conv2D(6, 7), (3, 4)),
    "as large as the picture": (pl.Conv2D(6, (5, 4), padding="valid"), (5, 4)),
    "stride 2": (pl.Conv2D(9, 3, stride=2), (7, 8)),
    "stride 3": (pl.Conv2D(9, 5, stride=3), (8, 10)),
    "stride 3x2": (pl.Conv2D(4, 3, stride=(3, 2)), (9, 7)),
    "stride larger than the window": (pl.Conv2D(4, 2, stride=3), (9, 8)),
    "stride larger than the picture": (pl.Conv2D(4, 3, stride=9), (4, 5)),
    "valid": (pl.Conv2D(10, 3, padding="valid"), (6, 7)),
    "valid, stride 2": (pl.Conv2D(10, 3, stride=2, padding="valid"), (6, 9)),
    "valid, a rest that nobody sees": (pl.Conv2D(7, 2, stride=4, padding="valid"), (9, 8)),
    "dilation 2": (pl.Conv2D(5, 3, dilation=2), (7, 6)),
    "dilation 1x3": (pl.Conv2D(5, 3, dilation=(1, 3)), (5, 9)),
    "dilation 2, valid, stride 2": (pl.Conv2D(5, 3, stride=2, padding="valid", dilation=2), (9, 8)),
    "dilation 3, stride 2": (pl.Conv2D(5, 2, stride=2, dilation=3), (8, 7)),
    "padding 1, stride 2": (pl.Conv2D(9, 3, stride=2, padding=1), (8, 6)),
    "padding 2, stride 2, a rest that nobody sees": (pl.Conv2D(5, 5, stride=(2, 3), padding=2), (8, 9)),
    "padding 2x0": (pl.Conv2D(6, 3, padding=(2, 0)), (4, 5)),
    "padding 3, dilation 2": (pl.Conv2D(6, 3, padding=3, dilation=2), (5, 4)),
    "2 groups": (pl.Conv2D(6, 3, groups=2), (5, 4)),
    "4 groups": (pl.Conv2D(20, 3, groups=4), (5, 4)),
    "2 groups of many filters": (pl.Conv2D(34, 2, groups=2, stride=2), (5, 6)),
    "2 wide groups": (pl.Conv2D(140, 1, groups=2), (2, 2)),
    "without bias": (pl.Conv2D(8, 3, use_bias=False), (4, 5)),
    "2 groups without bias": (pl.Conv2D(6, 3, groups=2, use_bias=False), (4, 5)),
    "one pixel": (pl.Conv2D(8, 3), (1, 1)),
    "one row": (pl.Conv2D(8, 3), (1, 9)),
    "one column": (pl.Conv2D(8, 3), (9, 1)),
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_every_window_on_the_input_and_above_a_convolution(name):
    layer, size = CONVOLUTIONS[name]
    check([layer], (*size, 4))
    check([*BELOW, layer], (*size, 2))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("filters", [1, 16, 48, 64, 70, 130])
@pytest.mark.parametrize("channels", [1, 3, 16, 20])
def test_every_width(channels, filters):
    """Around the widths of vectors and panels."""
    layers = [pl.Conv2D(channels, 1), pl.Conv2D(filters, 3, "relu")]
    check(layers, (4, 5, channels), (3,))
    check([*layers, pl.MaxPooling2D()], (4, 5, channels), (2,), pixels=True)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("channels", [2, 5, 8, 20, 33, 70])
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2}, {"dilation": 2}, {"dilation": (2, 1), "stride": (1, 2)}, {"padding": "valid"}, {"use_bias": False}],
    ids=str,
)
def test_depthwise(channels, options):
    layer = pl.Conv2D(channels, 3, "relu", groups=channels, **options)
    check([layer], (6, 7, channels), (3,))
    check([pl.Conv2D(channels, 1), layer, pl.Conv2D(3, 1)], (6, 7, 3), (1, 20))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("size", [5, (3, 5), (5, 3), (2, 4)], ids=str)
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"stride": 2, "padding": 1}, {"stride": (2, 1)}], ids=str)
def test_depthwise_windows_of_other_sizes(size, options):
    layer = pl.Conv2D(20, size, "relu", groups=20, **options)
    check([pl.Conv2D(20, 1), layer, pl.Conv2D(3, 1)], (7, 10, 3), (1, 5))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("each", [1, 3, 5, 9, 17])
def test_groups_whose_channels_fill_no_vector(groups, each):
    for filters in (1, 2, 7):
        check([pl.Conv2D(groups * each, 1), pl.Conv2D(groups * filters, 2, "relu", groups=groups)], (4, 3, 3), (7,))


POOLINGS = [
    *(pl.MaxPooling2D(), pl.MaxPooling2D(3), pl.MaxPooling2D(3, 2), pl.MaxPooling2D((2, 3), 1), pl.MaxPooling2D(2, 3)),
    *(pl.MaxPooling2D(3, 2, "same"), pl.MaxPooling2D(2, 2, "same"), pl.MaxPooling2D(9, 2, "same"), pl.MaxPooling2D(1, 2)),
    *(pl.MaxPooling2D(2, (3, 1), "same"), pl.AveragePooling2D(), pl.AveragePooling2D(2, 1), pl.AveragePooling2D(2, 3)),
    *(pl.AveragePooling2D(2, 2, "same"), pl.AveragePooling2D(2, 1, "same"), pl.AveragePooling2D((1, 2), (2, 1), "same")),
    *(pl.AveragePooling2D(4), pl.AveragePooling2D(4, 1)),
    *(pl.MaxPooling2D(3, 2, 1), pl.MaxPooling2D((3, 2), 2, (2, 0)), pl.AveragePooling2D(2, 2, 1)),
]


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("layer", POOLINGS, ids=str)
def test_every_pooling(layer):
    for channels, size in ((3, (5, 7)), (20, (8, 9))):
        check([pl.Conv2D(channels, 2), layer], (*size, 2), (1, 13))
        check([*BELOW, layer, pl.Conv2D(5, 1, "relu")], (*size, 2), (5,))


@pytest.mark.usefixtures("every_isa")
def test_the_mean_of_a_whole_picture():
    for size in ((4, 4), (2, 8), (1, 1)):
        check([*BELOW, pl.Conv2D(17, 3, "relu"), pl.GlobalAveragePooling2D()], (*size, 3))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("pooling", [pl.MaxPooling2D(2), pl.MaxPooling2D(3, 1, "same"), pl.MaxPooling2D(3, 2)], ids=str)
def test_of_equal_pixels_the_first_gets_the_gradient(pooling):
    """Pictures of one color behind 1x1 filters are all ties; the weights of a window then see where the gradient went."""
    network, x, y, _ = example([pl.Conv2D(6, 1), pooling, pl.Conv2D(3, 2)], (6, 6, 2), 16, seed=4)
    x[...] = x[:, :1, :1]
    assert_exact(network, x, y)
    below = pl.Network(
        [pl.Input(6, 6, 2), pl.Conv2D(6, 3, "relu", padding="valid"), pooling, pl.Regression(2, "mae")], seed=1
    )
    below.parameters.vector[...] = 0.5
    assert_exact(below, x, y)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize(
    "first", [pl.Conv2D(5, 3, "relu"), pl.MaxPooling2D(), pl.AveragePooling2D(), pl.Dropout2D(0.5)], ids=str
)
def test_pictures_without_channels(first, pixels):
    check([first, pl.Conv2D(3, 2, "relu")], (6, 7), pixels=pixels)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("channels", [1, 2, 3, 16])
def test_bytes(channels):
    check([pl.Conv2D(6, 3, "relu"), pl.Conv2D(5, 3)], (5, 6, channels), (3, 17), pixels=True)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("second", [pl.Rescale(0.5, 2.0), pl.Rescale((2.0, 0.5, -1.0), (0.0, 1.0, -0.5))], ids=str)
def test_rescale_on_the_input_twice_and_in_the_middle(second):
    """The first one is joined with the input; those that come later are not."""
    first = pl.Rescale((2.0, -1.0, 0.5), 1.0)
    check([first, pl.Conv2D(3, 2)], (4, 5, 3))
    check([first, second, pl.Conv2D(3, 2)], (4, 5, 3))
    check([pl.Conv2D(3, 2), second, pl.Conv2D(4, 2), pl.Rescale(0.5)], (4, 5, 2))
    check([first, pl.Dense(5, "relu"), pl.Rescale(2.0, 1.0), pl.Dense(3)], (3,))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("batch", [16, 31, 70])
def test_narrow_pictures_go_by_samples(batch):
    """Rows of fewer pixels than a tile has: the same pixel of many samples is taken at once."""
    for size in ((2, 2), (3, 3), (1, 1), (5, 3)):
        check([*BELOW, pl.Conv2D(20, 3, "relu"), pl.Conv2D(6, 3, stride=2)], (*size, 3), (batch,))
        check([*BELOW, pl.Conv2D(4, 3, groups=4), pl.Conv2D(6, 3, groups=2)], (*size, 3), (batch,))


BLOCKS = {
    "plain": pl.Residual([pl.Conv2D(4, 3, "relu"), pl.Conv2D(4, 3)], activation="relu"),
    "shortcut": pl.Residual([pl.Conv2D(9, 3, "relu", stride=2), pl.Conv2D(9, 3)], [pl.Conv2D(9, 1, stride=2)], "relu"),
    "shortcut of pooling": pl.Residual([pl.Conv2D(4, 3, stride=2)], [pl.AveragePooling2D(2, 2, "same")]),
    "nested": pl.Residual([pl.Residual([pl.Conv2D(4, 3, "relu")]), pl.Residual([pl.Conv2D(4, 2)], [pl.Conv2D(4, 1)])]),
    "pooling inside": pl.Residual(
        [pl.MaxPooling2D(3, 1, "same"), pl.Conv2D(4, 1)], [pl.AveragePooling2D((1, 2), 1, "same")]
    ),
    "dropout inside": pl.Residual([pl.Dropout(0.5), pl.Conv2D(4, 3), pl.Dropout2D(0.5)], [pl.Dropout(0.5)]),
    "rescale inside": pl.Residual([pl.Rescale((2.0, -1.0, 0.5, 1.0), 1.0), pl.Conv2D(4, 1)], [pl.Rescale(0.5)]),
    "groups": pl.Residual([pl.Conv2D(4, 3, groups=2), pl.Conv2D(4, 1)]),
    "depthwise": pl.Residual([pl.Conv2D(4, 3, groups=4), pl.Conv2D(4, 1)]),
    "flattened": pl.Residual([pl.Flatten(), pl.Dense(7, "relu")], [pl.Conv2D(7, 1), pl.MaxPooling2D((6, 5)), pl.Flatten()]),
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", BLOCKS)
def test_residual_blocks(name):
    """On the input, above a convolution, and one block above the other."""
    block = BLOCKS[name]
    check([block], (6, 5, 4))
    check([pl.Conv2D(4, 1), block], (6, 5, 3))
    if block.output_shape((6, 5, 4)) == (6, 5, 4):
        check([pl.Conv2D(4, 1), block, block], (6, 5, 3), (6,))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("size", [4, 25])
def test_lanes_beyond_the_channels_stay_zero(size):
    """Two layers flatten what five channels hold, so their gradients are added up beside lanes that are no channels. The
    norm of the whole gradient sees whatever is there: leftovers of other planes made such steps a fifth too short.
    """
    block = pl.Residual([pl.Flatten(), pl.Dense(4)], [pl.Flatten(), pl.Dense(4)])
    network, x, y, _ = example([pl.Conv2D(3, 3), pl.Conv2D(5, 3), block], (size, size, 2), 8, seed=size)
    options = {"clipping": pl.ClipByGlobalNorm(0.05), "batch_size": 4, "epochs": 2}
    native, truth = (
        fitted(network, x, y, engine=engine, dtype=dtype, **options)
        for engine, dtype in (("native", "float32"), ("numpy", "float64"))
    )
    moved = truth.parameters.vector - network.parameters.vector
    error = native.parameters.vector - truth.parameters.vector
    assert np.linalg.norm(error) < 1e-4 * np.linalg.norm(moved)


@pytest.mark.usefixtures("every_isa")
def test_residual_blocks_of_dense_layers():
    block = pl.Residual([pl.Dense(33, "relu"), pl.Dropout(0.5), pl.Dense(12)], activation="relu")
    check([block], (12,))
    check([pl.Dense(12, "relu"), block, pl.Residual([pl.Dense(20)], [pl.Dense(20)]), pl.Dense(9, "relu")], (7,))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("layer", [pl.Dropout(0.5), pl.Dropout2D(0.5)], ids=str)
def test_masks(layer):
    """On the inputs and twice in a row, at a late step of a network's life, with channels that fill no vector."""
    for channels in (3, 16, 21):
        layers = [
            layer,
            pl.Conv2D(channels, 1, "relu"),
            layer,
            layer,
            pl.MaxPooling2D(),
            layer,
            pl.Flatten(),
            pl.Dropout(0.5),
        ]
        network, x, y, weights = example(layers, (4, 5, 2), 9, seed=channels)
        network.training_state.step = 2**33 + 5
        assert_exact(network, x, y, sample_weight=weights, threads=2)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize(("first", "rest"), [(31, 5), (17, 1), (64, 63)], ids=str)
def test_the_smaller_last_batch(first, rest):
    """The first batch has the weight zero: it must change nothing, so that the second one starts from few bits."""
    layers = [*BELOW, pl.MaxPooling2D(), pl.Dropout(0.5), pl.Residual([pl.Conv2D(4, 3)])]
    network, x, y, _ = example(layers, (6, 5, 3), first + rest, seed=rest)
    weights = np.concatenate([np.zeros(first), power_of_two_weights(np.random.default_rng(rest), rest)])
    native = assert_exact(network, x, y, sample_weight=weights, batch_size=first, threads=2)
    assert native.training_state.step == 2


sides = st.integers(1, 8)
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def convolutions(draw):
    """(channels, convolution): of one group, of some, or depthwise."""
    groups = draw(st.integers(1, 3))
    channels, filters = (groups * draw(st.integers(1, 12)) for _ in range(2))
    if draw(st.booleans()):
        filters = groups = channels
    window = {"kernel_size": draw(pairs), "stride": draw(pairs), "dilation": draw(pairs)}
    return channels, pl.Conv2D(filters, activation="relu", groups=groups, **window)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(size=st.tuples(sides, sides), convolution=convolutions(), batch=st.integers(1, 20), seed=st.integers(0, 99))
def test_any_geometry(size, convolution, batch, seed):
    channels, layer = convolution
    network, x, y, weights = example([pl.Conv2D(channels, 1), layer, pl.Conv2D(4, 2)], (*size, 2), batch, seed)
    for isa in ISAS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PELLUCID_ISA", isa)
            truth = numbers(fitted(network, x, y, engine="numpy", dtype="float64", sample_weight=weights))
            native = numbers(fitted(network, x, y, sample_weight=weights, threads=2))
            for name, vector in native.items():
                np.testing.assert_array_equal(vector, truth[name], err_msg=f"{name} on {isa}")


def test_one_wrong_pixel_and_one_wrong_tap_are_seen():
    """The comparison itself: other numbers in one place do not pass."""
    network, x, y, _ = example([*BELOW, pl.Conv2D(5, 3), pl.MaxPooling2D()], (6, 7, 2), 16, seed=1)
    truth = numbers(assert_exact(network, x, y))
    changed = x.copy()
    changed[7, 3, 3, 1] += 60
    assert not np.array_equal(numbers(fitted(network, changed, y))["velocity"], truth["velocity"])
    network.parameters["conv2d_2.weight"][2, 2, 3, 4] += 60
    assert not np.array_equal(numbers(fitted(network, x, y))["velocity"], truth["velocity"])
