"""The units of scikit-learn: its loss, its penalty and its learning rate in terms of ours.

For one network and one batch of B samples, with V outputs,

    classification    ours = theirs, and so are the gradients
    squared error     ours = mean_v(e^2) = 2 theirs, but their gradient is that of sum_v(e^2) / 2: ours = (2 / V) theirs
    Poisson           ours = mean_v(d) = theirs / V, and so are the gradients

Whatever is added to or multiplied with a gradient therefore has the factor 2 / V, or 1 / V: the penalty, Adam's epsilon,
and as a divisor the rate of gradient descent. The steps are then the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.mathematics.losses import MeanSquaredError, PoissonLoss
from pellucid.mathematics.optimizers import Adam, GradientDescent, Optimizer
from pellucid.mathematics.regularizers import L2, Regularizer
from pellucid.nn.layers.outputs.output import OutputLayer


@dataclass(frozen=True)
class Units:
    """``value``: our loss in units of theirs; ``gradient``: our gradient in units of theirs."""

    value: float = 1.0
    gradient: float = 1.0
    divides_rate: bool = False

    @classmethod
    def of(cls, parameters: NetworkParameters, output: OutputLayer) -> Units:
        """Those of an output layer, and of the rate of a solver."""
        divides = parameters.solver == "sgd"
        if isinstance(output.loss_function, MeanSquaredError):
            return cls(2.0, 2.0 / output.num_outputs, divides)
        if isinstance(output.loss_function, PoissonLoss):
            return cls(1.0 / output.num_outputs, 1.0 / output.num_outputs, divides)
        return cls(divides_rate=divides)

    def loss(self, data: float, penalty: float) -> float:
        """Loss and penalty of ours as scikit-learn reports them, in one number."""
        return data / self.value + penalty / self.gradient

    def rate(self, ours: float) -> float:
        """Our learning rate as scikit-learn counts it."""
        return ours * self.gradient if self.divides_rate else ours

    def regularizer(self, parameters: NetworkParameters, weight: float) -> Regularizer | None:
        """0.5 alpha ||W||^2 / weight, ``weight`` being that of all samples of a batch."""
        return L2(0.5 * parameters.alpha * self.gradient / weight) if parameters.alpha else None

    def optimizer(self, parameters: NetworkParameters) -> Optimizer:
        """The optimizer of ``solver`` that makes scikit-learn's steps."""
        if isinstance(parameters.solver, Optimizer):
            return parameters.solver
        rate = parameters.learning_rate_init
        if parameters.solver == "adam":
            return Adam(rate, parameters.beta_1, parameters.beta_2, parameters.epsilon * self.gradient)
        descent = GradientDescent(rate / self.gradient, parameters.momentum)
        return replace(descent, nesterov=parameters.nesterovs_momentum) if parameters.momentum else descent
