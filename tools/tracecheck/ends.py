"""The output: from the logits to the prediction, and to the loss, whose gradient begins the backward pass."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tracecheck.activations import sigmoid, softplus
from tracecheck.common import penalty_of
from tracecheck.comparing import Checker, Numbers, Record, Sized, exact, numbers, total
from tracecheck.ensembles import softmax_steps
from tracecheck.form import named_layers


def check_answer(check: Checker, answer: Record, logits: Numbers) -> None:
    """Softmax or sigmoid of the logits, term by term, and the predictions."""
    rows, kind = logits.rows(), answer["kind"]
    if kind == "softmax":
        largest = [max(row) for row in rows]
        check.compare("answer.maximum", answer["maximum"], exact(largest))
        shifted = [total([z, -m]) for row, m in zip(rows, largest, strict=True) for z in row]
        check.compare("answer.shifted", answer["shifted"], shifted)
        exponentials = numbers(answer["exponentials"])
        check.compare("answer.exponentials", answer["exponentials"], exact(map(math.exp, numbers(answer["shifted"]).flat)))
        check.compare("answer.total", answer["total"], [total(row) for row in exponentials.rows()])
        sums = numbers(answer["total"]).flat
        probabilities = [e / s for row, s in zip(exponentials.rows(), sums, strict=True) for e in row]
        check.compare("answer.probabilities", answer["probabilities"], exact(probabilities))
        check.compare("answer.predictions", answer["predictions"], exact(float(row.index(max(row))) for row in rows))
    elif kind == "sigmoid":
        both = [p for z in logits.flat for p in (sigmoid(-z), sigmoid(z))]
        check.compare("answer.probabilities", answer["probabilities"], exact(both))
        check.compare("answer.predictions", answer["predictions"], exact(float(z > 0) for z in logits.flat))
    elif kind == "identity":
        check.same("answer.predictions", answer["predictions"], logits.flat, "the logits")
    elif kind == "exponential":
        check.compare("answer.predictions", answer["predictions"], exact(map(math.exp, logits.flat)))
    elif kind == "ascending":
        ordered = [z for row in rows for z in sorted(row)]
        check.same("answer.predictions", answer["predictions"], ordered, "the logits in order")
    else:
        check.faults.append(f"answer: {kind} is not a kind that this program knows")


def check_loss(check: Checker, trace: Record) -> None:
    """The loss of each logit, sample and batch; the penalty; the gradient with respect to each logit."""
    loss, output, answer = trace["loss"], trace["layers"][-1], trace["answer"]
    about, z, targets = loss["description"], numbers(output["sums"]), numbers(loss["targets"])
    kind, batch, width = about["type"], z.shape[0], z.last
    members = z.shape[1] if len(z.shape) == 3 else 1
    each_has_its_loss = members > 1 and trace["training"]  # else it is that of the answer
    if members > 1:
        z, answer = (z, softmax_steps(z)) if each_has_its_loss else (numbers(answer["logits"]), answer)
    smoothing = about.get("label_smoothing", 0.0)
    share = smoothing / (width if kind == "CrossEntropy" else 2)
    check.compare("loss.smoothed", loss["smoothed"], [total([(1 - smoothing) * t, share]) for t in targets.flat])
    t = numbers(loss["smoothed"])
    if each_has_its_loss:
        t = Numbers((batch * members, width), [one for row in t.rows() for _ in range(members) for one in row])
    if kind not in LOSSES:
        check.faults.append(f"loss: {kind} is not a loss that this program knows")
        return
    terms, gradient = LOSSES[kind](about, z, t, answer)
    check.compare("loss.terms", loss["terms"], terms)
    divisor = 1 if kind == "CrossEntropy" else width
    samples = [total(row, divisor * (members if each_has_its_loss else 1)) for row in numbers(loss["terms"]).rows()]
    check.compare("loss.samples", loss["samples"], samples)
    check.compare("loss.value", loss["value"], [total(numbers(loss["samples"]).flat, batch)])
    check.compare("loss.penalty", loss["penalty"], [total(penalties(trace["layers"]))])
    check.compare("loss.objective", loss["objective"], [total([loss["value"], loss["penalty"]])])
    dz = [(value / divisor / batch / members, size / divisor / batch / members) for value, size in gradient]
    if members > 1 and not each_has_its_loss:  # the mean of the members hands each of them its share
        rows = [dz[start : start + width] for start in range(0, len(dz), width)]
        dz = [one for row in rows for _ in range(members) for one in row]
    check.compare(f"layers[{len(trace['layers']) - 1}].doutput", output["doutput"], dz)


def cross_entropy(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """t (log total - shifted), the same as -t log p; d/dz = p sum(t) - t."""
    shifted, sums = numbers(answer["shifted"]).rows(), numbers(answer["total"]).flat
    terms, gradient = [], []
    for row, s, wanted in zip(shifted, sums, t.rows(), strict=True):
        terms += [total([one * math.log(s), -one * moved]) for one, moved in zip(wanted, row, strict=True)]
        whole = math.fsum(wanted)
        gradient += [total([math.exp(moved) / s * whole, -one]) for one, moved in zip(wanted, row, strict=True)]
    return terms, gradient


def binary_cross_entropy(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """log(1 + e^z) - t z; d/dz = sigmoid(z) - t."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [total([softplus(a), -b * a]) for a, b in pairs], [total([sigmoid(a), -b]) for a, b in pairs]


def squared(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """e^2, with e = z - t; d/dz = 2 e."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [((a - b) ** 2, (abs(a) + abs(b)) ** 2) for a, b in pairs], [total([2 * a, -2 * b]) for a, b in pairs]


def absolute(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """|e|; d/dz = sign(e)."""
    pairs = list(zip(z.flat, t.flat, strict=True))
    return [(abs(a - b), abs(a) + abs(b)) for a, b in pairs], exact(float((a > b) - (a < b)) for a, b in pairs)


def huber(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2); d/dz = clip(e, -delta, delta)."""
    delta, terms, gradient = about["delta"], [], []
    for a, b in zip(z.flat, t.flat, strict=True):
        e, size = abs(a - b), abs(a) + abs(b)
        terms.append((e * e / 2 if e <= delta else delta * (e - delta / 2), delta * size if e > delta else size * size))
        gradient.append((math.copysign(min(e, delta), a - b), size if e <= delta else delta))
    return terms, gradient


def poisson(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """e^z - t - t (z - log t), without the product where t = 0; d/dz = e^z - t."""
    terms, gradient = [], []
    for a, b in zip(z.flat, t.flat, strict=True):
        terms.append(total([math.exp(a), -b, *([-b * a, b * math.log(b)] if b else [])]))
        gradient.append(total([math.exp(a), -b]))
    return terms, gradient


def pinball(about: Record, z: Numbers, t: Numbers, answer: Record) -> tuple[list[Sized], list[Sized]]:
    """q e where e = t - z is above 0, else (q - 1) e, for the level q of each output; d/dz = -q, 1 - q, or 0 at e = 0."""
    levels, terms, gradient = about["levels"], [], []
    for place, (a, b) in enumerate(zip(z.flat, t.flat, strict=True)):
        q, size = levels[place % len(levels)], abs(a) + abs(b)
        terms.append((q * (b - a) if b > a else (q - 1) * (b - a), size))
        gradient.append((-q if b > a else 1 - q if b < a else 0.0, 1.0))
    return terms, gradient


def penalties(layers: list[Record]) -> Iterator[float]:
    """The penalty of each weight that has one, in inner layers too."""
    for _, layer in named_layers("layers", layers):
        for name, regularizer in layer.get("regularizers", {}).items():
            yield from (penalty_of(regularizer, w) for w in numbers(layer["parameters"][name]).flat)


LOSSES = {
    "CrossEntropy": cross_entropy,
    "BinaryCrossEntropy": binary_cross_entropy,
    "MeanSquaredError": squared,
    "MeanAbsoluteError": absolute,
    "Huber": huber,
    "PoissonLoss": poisson,
    "PinballLoss": pinball,
}
