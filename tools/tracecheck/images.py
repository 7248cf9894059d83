"""The layers with windows on images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tracecheck.common import check_activation, check_gradient
from tracecheck.comparing import Checker, Numbers, Record, Shape, Sized, exact, numbers, total


class Collected:
    """Sums to which terms are added one by one, and the sums of their magnitudes."""

    def __init__(self, count: int) -> None:
        self.values = [0.0] * count
        self.sizes = [0.0] * count

    def add(self, index: int, term: float) -> None:
        self.values[index] += term
        self.sizes[index] += abs(term)

    def sized(self) -> list[Sized]:
        return list(zip(self.values, self.sizes, strict=True))


@dataclass(frozen=True)
class Geometry:
    """A batch of images (B, H, W, C) or (B, H, W), and the windows of a layer on it."""

    batch: int
    height: int
    width: int
    channels: int
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    count: tuple[int, int]
    margin: tuple[int, int]

    @classmethod
    def of(cls, layer: Record, shape: Shape) -> Geometry:
        """From the description of a layer and the shape of its input."""
        about = layer["description"]
        size = pair(about.get("kernel_size", about.get("size")))
        stride = pair(about["stride"]) if about["stride"] is not None else size
        dilation = pair(about.get("dilation", 1))
        counts, margins = [], []
        for axis in range(2):
            pixels, span = shape[1 + axis], (size[axis] - 1) * dilation[axis] + 1
            if about["padding"] == "same":
                count = math.ceil(pixels / stride[axis])
                margin = max((count - 1) * stride[axis] + span - pixels, 0) // 2
            else:
                margin = 0 if about["padding"] == "valid" else pair(about["padding"], least=0)[axis]
                count = (pixels + 2 * margin - span) // stride[axis] + 1
            counts.append(count)
            margins.append(margin)
        channels = shape[3] if len(shape) == 4 else 1
        ends = (counts[0], counts[1]), (margins[0], margins[1])
        return cls(*shape[:3], channels, size, stride, dilation, *ends)

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Each window of each sample, in the order of an array (B, H', W')."""
        yield from ((b, h, w) for b in range(self.batch) for h in range(self.count[0]) for w in range(self.count[1]))

    def window(self, place: tuple[int, int, int]) -> Iterator[tuple[int, int]]:
        """For each pixel of the image in a window: its index in the window, and that of its first channel in the batch."""
        b, h, w = place
        columns = list(self.inside(1, w))
        for i, p in self.inside(0, h):
            for j, q in columns:
                yield i * self.size[1] + j, ((b * self.height + p) * self.width + q) * self.channels

    def inside(self, axis: int, window: int) -> Iterator[tuple[int, int]]:
        """Along one axis: the index in the window, and that in the image, of each pixel of the image in a window."""
        step, start = self.dilation[axis], window * self.stride[axis] - self.margin[axis]
        first, end = max(0, math.ceil(-start / step)), math.ceil(((self.height, self.width)[axis] - start) / step)
        yield from ((i, start + i * step) for i in range(first, min(self.size[axis], end)))


def pair(value: int | list[int], least: int = 1) -> tuple[int, int]:
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2 or not all(type(size) is int and size >= least for size in both):
        raise ValueError(f"one or two whole numbers from {least} are expected, not {value!r:.60}")
    return both[0], both[1]


def check_convolution(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """sums = the weighted sum of a window for each filter, output = f(sums); and the gradients of that sum."""
    x, weight = numbers(layer["input"]), numbers(layer["parameters"]["weight"])
    geometry, filters, each_in = Geometry.of(layer, x.shape), weight.shape[3], weight.shape[2]
    each_out = filters // layer["description"]["groups"]
    bias = numbers(layer["parameters"]["bias"]).flat if "bias" in layer["parameters"] else [0.0] * filters
    back = "dsums" in layer
    dz = numbers(layer["dsums"]).flat if back else []
    sums, dweight, dinput = [], Collected(len(weight.flat)), Collected(len(x.flat))
    for n, place in enumerate(geometry.places()):
        window = list(geometry.window(place))
        for u in range(filters):
            first = u // each_out * each_in  # the channels that this filter's group sees
            terms = [bias[u]]
            for pixel, start in window:
                for c in range(each_in):
                    at, of = start + first + c, (pixel * each_in + c) * filters + u
                    terms.append(x.flat[at] * weight.flat[of])
                    if back:
                        dweight.add(of, x.flat[at] * dz[n * filters + u])
                        dinput.add(at, weight.flat[of] * dz[n * filters + u])
            sums.append(total(terms))
    check.compare(f"{path}.sums", layer["sums"], sums)
    check_activation(check, path, layer)
    if back:
        check_gradient(check, path, layer, "weight", dweight.sized())
        if "bias" in layer["parameters"]:
            check_gradient(check, path, layer, "bias", [total(dz[u::filters]) for u in range(filters)])
        check.compare(f"{path}.dinput", layer["dinput"], dinput.sized())


def check_max_pooling(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = the largest number of each window; its gradient goes to the first of the largest, row by row."""
    x = numbers(layer["input"])
    geometry = Geometry.of(layer, x.shape)
    dy = numbers(layer["doutput"]).flat if "dinput" in layer else []
    output, winners, dinput = [], [], Collected(len(x.flat))
    for place in geometry.places():
        window = list(geometry.window(place))
        for c in range(geometry.channels):
            pixel, start = max(window, key=lambda one: (x.flat[one[1] + c], -one[0]))
            if dy:
                dinput.add(start + c, dy[len(output)])
            output.append(x.flat[start + c])
            winners.append(float(pixel))
    check.compare(f"{path}.numbers.winners", layer["numbers"]["winners"], exact(winners))
    check.compare(f"{path}.output", layer["output"], exact(output))
    if dy:
        check.compare(f"{path}.dinput", layer["dinput"], dinput.sized())


def check_average_pooling(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = the mean of the pixels of the image in a window; each gets an equal part of the gradient."""
    x = numbers(layer["input"])
    geometry = Geometry.of(layer, x.shape)
    windows = [[start for _, start in geometry.window(place)] for place in geometry.places()]
    check_means(check, path, layer, x, windows)


def check_global_average_pooling(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = the mean of each channel over the whole image."""
    x = numbers(layer["input"])
    channels, pixels = x.shape[3] if len(x.shape) == 4 else 1, x.shape[1] * x.shape[2]
    wholes = [[(b * pixels + n) * channels for n in range(pixels)] for b in range(x.shape[0])]
    check_means(check, path, layer, x, wholes)


def check_means(check: Checker, path: str, layer: Record, x: Numbers, windows: list[list[int]]) -> None:
    """The mean of each channel in each window, given as the indices of its pixels in the batch; and its gradient."""
    channels = x.shape[3] if len(x.shape) == 4 else 1
    output = [total((x.flat[at + c] for at in window), len(window)) for window in windows for c in range(channels)]
    check.compare(f"{path}.output", layer["output"], output)
    if "dinput" not in layer:
        return
    dinput, dy = Collected(len(x.flat)), numbers(layer["doutput"]).flat
    for n, window in enumerate(windows):
        for at in window:
            for c in range(channels):
                dinput.add(at + c, dy[n * channels + c] / len(window))
    check.compare(f"{path}.dinput", layer["dinput"], dinput.sized())


IMAGE_LAYERS = {
    "Conv2D": check_convolution,
    "MaxPooling2D": check_max_pooling,
    "AveragePooling2D": check_average_pooling,
    "GlobalAveragePooling2D": check_global_average_pooling,
}
