"""The end of the road: from the scores to the answer, and to the loss, whose gradient begins the way back."""

from __future__ import annotations

import math

from tracecheck.activations import sigmoid, softplus
from tracecheck.common import price_of
from tracecheck.comparing import Checker, Numbers, Record, Sized, exact, numbers, total


def check_answer(check: Checker, answer: Record, scores: Numbers) -> None:
    """Softmax or sigmoid of the scores, term by term, and what is predicted."""
    rows, kind = scores.rows(), answer["kind"]
    if kind == "softmax":
        largest = [max(row) for row in rows]
        check.compare("answer.maximum", answer["maximum"], exact(largest))
        shifted = [total([z, -m]) for row, m in zip(rows, largest, strict=True) for z in row]
        check.compare("answer.shifted", answer["shifted"], shifted)
        exponentials = numbers(answer["exponentials"])
        check.compare("answer.exponentials", answer["exponentials"], exact(map(math.exp, numbers(answer["shifted"]).flat)))
        check.compare("answer.total", answer["total"], [total(row) for row in exponentials.rows()])
        sums = numbers(answer["total"]).flat
        shares = [e / s for row, s in zip(exponentials.rows(), sums, strict=True) for e in row]
        check.compare("answer.probabilities", answer["probabilities"], exact(shares))
        check.compare("answer.predictions", answer["predictions"], exact(float(row.index(max(row))) for row in rows))
    elif kind == "sigmoid":
        both = [p for z in scores.flat for p in (sigmoid(-z), sigmoid(z))]
        check.compare("answer.probabilities", answer["probabilities"], exact(both))
        check.compare("answer.predictions", answer["predictions"], exact(float(z > 0) for z in scores.flat))
    elif kind == "identity":
        check.same("answer.predictions", answer["predictions"], scores.flat, "the scores")
    else:
        check.faults.append(f"answer: {kind} is no kind that this program knows")


def check_loss(check: Checker, trace: Record) -> None:
    """The loss of each score, of each sample, of the batch; the price of weights; the gradient by each score."""
    loss, output, answer = trace["loss"], trace["layers"][-1], trace["answer"]
    about, z, targets = loss["description"], numbers(output["sums"]), numbers(loss["targets"])
    kind, batch, width = about["type"], z.shape[0], z.last
    smoothing = about.get("label_smoothing", 0.0)
    share = smoothing / (width if kind == "CrossEntropy" else 2)
    check.compare("loss.smoothed", loss["smoothed"], [total([(1 - smoothing) * t, share]) for t in targets.flat])
    t = numbers(loss["smoothed"])
    if kind not in LOSSES:
        check.faults.append(f"loss: {kind} is no loss that this program knows")
        return
    terms, gradient = LOSSES[kind](about, z, t, answer)
    check.compare("loss.terms", loss["terms"], terms)
    divisor = 1 if kind == "CrossEntropy" else width
    samples = [total(row, divisor) for row in numbers(loss["terms"]).rows()]
    check.compare("loss.samples", loss["samples"], samples)
    check.compare("loss.value", loss["value"], [total(numbers(loss["samples"]).flat, batch)])
    prices = [price_of(price, w) for layer in every_layer(trace["layers"]) for price, w in priced(layer)]
    check.compare("loss.penalty", loss["penalty"], [total(prices)])
    check.compare("loss.objective", loss["objective"], [total([loss["value"], loss["penalty"]])])
    dz = [(value / divisor / batch, size / divisor / batch) for value, size in gradient]
    check.compare(f"layers[{len(trace['layers']) - 1}].doutput", output["doutput"], dz)


def cross_entropy(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """t (log total - shifted), the same as -t log p; by z: p sum(t) - t."""
    shifted, sums = numbers(answer["shifted"]).rows(), numbers(answer["total"]).flat
    terms, slopes = [], []
    for row, s, wanted in zip(shifted, sums, t.rows(), strict=True):
        terms += [total([one * math.log(s), -one * moved]) for one, moved in zip(wanted, row, strict=True)]
        whole = math.fsum(wanted)
        slopes += [total([math.exp(moved) / s * whole, -one]) for one, moved in zip(wanted, row, strict=True)]
    return terms, slopes


def binary_cross_entropy(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """log(1 + e^z) - t z; by z: sigmoid(z) - t."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [total([softplus(a), -b * a]) for a, b in pairs], [total([sigmoid(a), -b]) for a, b in pairs]


def squared(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """e^2, with e = z - t; by z: 2 e."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [((a - b) ** 2, (abs(a) + abs(b)) ** 2) for a, b in pairs], [total([2 * a, -2 * b]) for a, b in pairs]


def absolute(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """|e|; by z: the sign of e."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [(abs(a - b), abs(a) + abs(b)) for a, b in pairs], exact(float((a > b) - (a < b)) for a, b in pairs)


def huber(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2); by z: e, kept within delta."""
    delta, terms, slopes = about["delta"], [], []
    for a, b in zip(z.flat, t.flat, strict=True):
        e, size = abs(a - b), abs(a) + abs(b)
        terms.append((e * e / 2 if e <= delta else delta * (e - delta / 2), delta * size if e > delta else size * size))
        slopes.append((math.copysign(min(e, delta), a - b), size if e <= delta else delta))
    return terms, slopes


def every_layer(layers: list[Record]) -> list[Record]:
    """All layers, those in blocks too."""
    return [
        one for layer in layers for one in (layer, *every_layer([*layer.get("layers", []), *layer.get("shortcut", [])]))
    ]


def priced(layer: Record) -> list[tuple[Record, float]]:
    """Each weight that has a price, and that price."""
    prices = layer.get("regularizers", {})
    return [(price, w) for name, price in prices.items() for w in numbers(layer["parameters"][name]).flat]


LOSSES = {
    "CrossEntropy": cross_entropy,
    "BinaryCrossEntropy": binary_cross_entropy,
    "MeanSquaredError": squared,
    "MeanAbsoluteError": absolute,
    "Huber": huber,
}
