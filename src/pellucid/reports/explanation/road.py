"""An explanation as the sections of a page, with four digits of each number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.core.display.document import Block, Picture, Section, Sums, Table, Words
from pellucid.core.display.drawing import as_small_letters
from pellucid.core.display.equation import Arithmetic, Numbers, equation, product, total, worded
from pellucid.core.display.numbers import DIGITS, FINE, written
from pellucid.core.display.pictures import is_picture
from pellucid.core.display.text import counted
from pellucid.inspection.arithmetic.formulas import formula, in_terms_of
from pellucid.inspection.attribution.attribute import TOLERANCE
from pellucid.inspection.attribution.result import INTEGRATED_GRADIENTS
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.neuron import NeuronTrace, counting, place_in_words
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.reports.explanation.findings import Change, Findings, LayerExplanation
from pellucid.reports.explanation.photo import alike, where
from pellucid.reports.explanation.scores import E, doubt_line, probability_line

MOST_SCORES = MOST_COLUMNS = 20  # rows of their tables
TERMS = 3  # products of a neuron


def title(found: Findings) -> str:
    """The answer in a line, with the probability of `Model.predict`; in doubt, also with that of the network."""
    sure = "" if found.probability is None else f"{found.probability:.1%}"
    doubt = f", but {found.doubt}" if found.doubt else ""
    if sure and found.doubt:
        sure += f"; {found.answered.probability:.1%} without the doubt"
    return f"{found.source}: {answer_in_words(found)}{f' ({sure})' if sure else ''}{doubt}"


def answer_in_words(found: Findings) -> str:
    """The label, or the values of a regression."""
    if not found.is_of_values:
        return str(found.label)
    return ", ".join(written(float(value)) for value in np.atleast_1d(np.asarray(found.label)))


def road(found: Findings) -> list[Section]:
    """What the network saw, each layer, the scores, and what would have changed the answer."""
    row, of_inputs = found.row, attributed(found)
    cells: list[Section] = []
    others: list[Section] = []
    if row is not None:
        from pellucid.reports.explanation.other_cells import of_other_cells
        from pellucid.reports.explanation.table_row import contributed, from_cells  # what reads tables: where there is one

        of_inputs = contributed(row, found.attribution)
        cells = [Section("From the cells to the numbers", [*from_cells(row)])]
        others = [Section("What if a cell were another", [*of_other_cells(row.other_cells, row.target)])]
    return [
        *cells,
        Section("What the network saw", [*seen(found)]),
        *(layer_section(found, layer) for layer in found.layers[1:]),
        Section(f"From scores to {'an answer' if found.is_of_values else 'probabilities'}", [*ends(found)]),
        *([] if found.change is None else [Section("What would have changed the answer", [*changed(found, found.change)])]),
        *of_photo(found),
        Section(f"What each {'input' if row is None else 'column'} contributes", [*of_inputs]),
        *others,
    ]


def of_photo(found: Findings) -> list[Section]:
    """Where in a picture the answer comes from, and what it resembles."""
    sections = []
    if found.activation is not None and found.change is not None and found.seen is not None:
        blocks = where(found.activation, str(found.label), found.change.runner_up, found.seen)
        sections.append(Section("Where in the picture the answer comes from", [*blocks]))
    if found.resembled:
        sections.append(Section("Because it resembles these", [*alike(found.resembled, str(found.label))]))
    return sections


def seen(found: Findings) -> Iterator[Block]:
    """The input: a picture, or its range."""
    given, first = found.given, found.trace.layers[0]
    if found.seen is not None and is_picture(found.seen.shape):
        yield Picture(found.seen, "what the network saw")
    shape = "x".join(map(str, given.shape))
    scaled = " Each is divided by 255." if given.dtype == np.uint8 else ""
    numbers = first.output[0]
    what = f"{shape} {'number' if given.size == 1 else 'numbers'}"
    said = f"{what} from {written(float(given.min()))} to {written(float(given.max()))}.{scaled}"
    yield Words(f"{said} {_not_zero(int(np.count_nonzero(numbers)), numbers.size)}. {counting(given.ndim)}")
    names = found.attribution.columns
    if names is not None:
        rows = tuple((str(d), name, written(float(given[d]))) for d, name in enumerate(names[:MOST_COLUMNS]))
        yield Table("The columns", ("input", "column", "value"), rows)
        if len(names) > len(rows):
            yield Words(f"and {counted(len(names) - len(rows), 'more column')}.")


def _not_zero(count: int, size: int) -> str:
    return f"{count:,} of {size:,} {'is' if count == 1 else 'are'} not 0"


def layer_section(found: Findings, layer: LayerExplanation) -> Section:
    """One layer: its formula, its range, and its strongest neurons."""
    traced = found.trace.layer(layer.name)
    shape = "x".join(map(str, layer.shape))
    size = int(np.prod(layer.shape))
    said = f"{_not_zero(layer.active, size)}; from {written(layer.smallest)} to {written(layer.largest)}."
    lines = tuple(_neuron_line(found, traced, neuron) for neuron in layer.neurons) or in_terms_of(traced)
    blocks: list[Block] = [Words(f"{formula(traced)} {said}")]
    return Section(f"{layer.name}: {shape}", [*blocks, Sums(lines)] if lines else blocks)


def _neuron_line(found: Findings, layer: LayerTrace, neuron: NeuronTrace) -> str:
    """The sum of a neuron; a score also with its label, unless that is its number."""
    label = str(neuron.unit)
    if isinstance(layer.layer, OutputLayer) and not found.is_of_values:
        label = str(found.scores[-1 if found.kind == "sigmoid" else neuron.unit].label)
    named = "" if label == str(neuron.unit) else f" ({label})"
    return f"{neuron.name}{named}  {neuron.arithmetic(TERMS)}"


def ends(found: Findings) -> Iterator[Block]:
    """The scores; softmax or sigmoid term by term."""
    if found.is_of_values:
        yield from _values(found)
        return
    order = sorted(range(len(found.scores)), key=lambda k: -found.scores[k].score)
    rows = [found.scores[k] for k in order[:MOST_SCORES]]
    z = "z" if found.temperature is None else "z / T"
    columns: dict[str, tuple[list[float | None], int]] = {
        "score z": ([row.score for row in rows], FINE),
        "z / T": ([row.scaled for row in rows], FINE),
        f"{z} - max": ([row.shifted for row in rows], FINE),
        f"e^({z} - max)": ([row.exponential for row in rows], FINE),
        "probability": ([row.probability for row in rows], DIGITS),
        "with T = 1": ([row.untempered for row in rows], DIGITS),
    }
    kept = {name: column for name, column in columns.items() if column[0][0] is not None}
    cells = ([str(row.label), *(written(float(v[n] or 0), d) for v, d in kept.values())] for n, row in enumerate(rows))
    yield Table("Scores and probabilities, the highest first", ("label", *kept), tuple(tuple(row) for row in cells))
    if len(found.scores) > len(rows):
        yield Words(f"and {counted(len(found.scores) - len(rows), 'more label')}.")
    if found.temperature is not None:
        yield Words(f"The scores are divided by the temperature of this model, T = {written(found.temperature, FINE)}.")
    lines = [probability_line(found.scores[1] if found.total is None else rows[0], found.total)]
    if found.doubt and found.probability is not None:
        lines.append(doubt_line(found.answered, len(found.scores), found.probability))
    yield Sums(tuple(lines))
    if found.doubt:
        yield Words(f"Since {found.doubt}, no answer is sure.")


def _values(found: Findings) -> Iterator[Block]:
    """The scores of a regression, and how they become its answer."""
    said = {
        "identity": "the scores are the answer",
        "exponential": "the answer is e to the power of the score, an expected count",
        "ascending": "the answers are the scores in ascending order, a quantile each",
    }
    yield Words(f"A regression: {said[found.kind]}.")
    yield Table("The values", ("value", "score"), tuple((str(row.label), written(row.score)) for row in found.scores))
    if found.kind == "exponential":
        counts = zip(found.scores, np.atleast_1d(np.asarray(found.label)), strict=True)
        yield Sums(tuple(_power(row.score, float(count)) for row, count in counts))


def _power(score: float, count: float) -> str:
    return equation(lambda n: E ** n(score, FINE), count)


def changed(found: Findings, change: Change) -> Iterator[Block]:
    """The runner-up, and where the margin comes from."""
    margin = written(change.margin)
    if found.kind == "sigmoid":
        where = "fall" if found.label == found.scores[1].label else "rise"
        yield Words(f"{change.runner_up} would be the answer if the score were to {where} by {margin}, past 0.")
    else:
        yield Words(
            f"The runner-up is {change.runner_up}. It would be the answer if its score rose by {margin}, or if that of "
            f"{found.label} fell by as much."
        )
    output = found.trace.layers[-1]
    shape = output.input.shape[1:] if output.members > 1 else (output.input[0].size,)
    inputs = ", ".join(place_in_words(map(int, np.unravel_index(d, shape))) for d, *_ in change.reasons)
    yield Sums((f"margin = {equation(lambda n: _margin(n, change), change.margin)}",))
    if inputs:
        below = found.trace.layers[-2].name
        yield Words(
            f"The products are the outputs {inputs} of {below}, times the differences of their weights; the last term is "
            "the difference of the biases."
        )
    if found.cover is not None:
        row, column = found.cover.place
        high, wide = found.cover.window
        yield Words(
            f"Covering the picture with 0, in windows of {high}x{wide}, matters most around "
            f"{place_in_words((row, column))}: there the margin falls by {written(found.cover.fall)} on average."
        )


def _margin(n: Numbers, change: Change) -> Arithmetic:
    """The margin as a sum."""
    others = [worded("... (", n(change.others), " from the others)")] if change.others else []
    return total([*(product(n(x), n(w)) for _, x, w, _ in change.reasons), *others, n(change.bias)])


def attributed(found: Findings) -> Iterator[Block]:
    """The attribution of the answer, with its gap."""
    attribution = found.attribution
    given = attribution.contributions[0]
    if given.ndim in (2, 3) and found.seen is not None:
        values = attribution.map()
        lines = f"{as_small_letters(values)}\n  . + # speak for the answer, - = % against it"
        scale = written(float(np.abs(values).max()))
        yield Picture(attribution.picture(), "orange speaks for the answer, blue against it", lines, scale)
    rows = tuple((str(name), written(float(number))) for name, number in attribution.strongest())
    yield Table("The largest contributions", ("input", "contribution"), rows)
    compared = "" if attribution.against is None else " (the score of the answer minus that of the runner-up)"
    if len(found.scores) > 1 and found.is_of_values:
        compared = f" (value {found.scores[attribution.target[0]].label})"
    numbers = (attribution.total, attribution.bias, attribution.gap, attribution.score)
    inputs, bias, gap, score = (float(number[0]) for number in numbers)
    parts = {"inputs": inputs, "biases": bias} | ({} if written(inputs + bias) == written(score) else {"the gap": gap})
    filled = equation(lambda n: total([worded("", n(part), f" from {name}") for name, part in parts.items()]), score)
    yield Sums((f"{filled}{compared}",))
    relative = float(attribution.relative_gap[0])
    method = attribution.method.replace("_", " ")
    steps = f", {attribution.steps[0]} steps" if attribution.steps[0] > 1 else ""
    left = relative > TOLERANCE and attribution.method == INTEGRATED_GRADIENTS
    more = f" More steps make it smaller: pl.attribute(..., max_steps={4 * attribution.steps[0]})." if left else ""
    yield Words(f"Method: {method}{steps}; completeness gap {gap:.1e}, {relative:.1e} relative.{more}")
