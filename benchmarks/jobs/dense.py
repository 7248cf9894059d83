"""The jobs that contestants train, as data, and how fast Pellucid is asked to be in each, beside each peer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

THREADS = 2
SAMPLES = {"digits": 60_000, "dense": 60_000, "table": 10_000}


@dataclass(frozen=True)
class Job:
    """Training with Adam in float32, in shuffled batches of equal size: rows that fill no batch are left out for everyone.

    sizes       units of each layer, the number of inputs first, that of classes or values last
    data        "digits": MNIST; "dense": random numbers in its shape, none of them zero; "table": random columns
    normalize   batch normalization after the activation of each hidden layer; then comes the dropout
    epochs      in one round
    asked       peer -> time of Pellucid divided by that of the peer, at most
    peak_asked  share of the measured peak of matrix products, at least
    """

    sizes: tuple[int, ...]
    batch: int
    data: str = "digits"
    activation: str = "relu"
    dropout: float = 0.0
    normalize: bool = False
    epochs: int = 1
    max_rows: int = 60_000
    asked: Mapping[str, float] = field(default_factory=dict, hash=False)
    peak_asked: float | None = None

    @property
    def regression(self) -> bool:
        """Tables have values to be met (mean squared error), images have classes (softmax and cross-entropy)."""
        return self.data == "table"

    @property
    def rows(self) -> int:
        rows = min(SAMPLES[self.data], self.max_rows)
        return rows - rows % self.batch

    @property
    def steps(self) -> int:
        """Steps of one round."""
        return self.rows // self.batch * self.epochs

    @property
    def name(self) -> str:
        extras = (", dropout" if self.dropout else "") + (", batch normalization" if self.normalize else "")
        activation = "" if self.activation == "relu" else f" {self.activation}"
        return f"{'-'.join(map(str, self.sizes))}{activation}{extras}, batch {self.batch:,}, {self.data}"

    @property
    def parameters(self) -> int:
        """Weights and biases (not those of batch normalization)."""
        return sum((above + 1) * below for above, below in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def flops(self) -> int:
        """Of the matrix products of one step: three for each layer, 2 B D U each, but the first needs no gradient of its
        input."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        return self.batch * (6 * sum(d * u for d, u in pairs) - 2 * pairs[0][0] * pairs[0][1])

    def dense(self) -> Job:
        """The same job on inputs that are never zero; four fifths of the digits' pixels are. Nothing is asked of it."""
        return replace(self, data="dense", asked={}, peak_asked=None)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        fields = json.loads(text)
        return cls(**{**fields, "sizes": tuple(fields["sizes"])})


DIGITS = (
    Job((784, 128, 10), 32, epochs=3, asked={"jax": 0.60, "torch": 0.17}),
    Job((784, 128, 10), 128, epochs=3, asked={"jax": 0.75, "torch": 0.40}),
    Job((784, 512, 512, 10), 128, asked={"jax": 0.85, "torch": 0.60}, peak_asked=0.75),
)
TRAINING = (
    *DIGITS,
    Job((4, 32, 16, 4), 10_000, "table", "tanh", epochs=500, asked={"jax": 0.35, "torch": 0.20}),
    Job((784, 256, 256, 10), 64, dropout=0.2, normalize=True, asked={"jax": 0.70, "torch": 0.35}),
    *(job.dense() for job in DIGITS),
)
