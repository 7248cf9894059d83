"""The solver "lbfgs": all samples at once, by SciPy's L-BFGS-B on our loss and its gradient, in float64."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from pellucid.core.shapes import Array
from pellucid.data.samples import Samples
from pellucid.executors.base import targets_of
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.interop.estimators.units import Units
from pellucid.models.network import Network
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.objective import Objective, penalty


def fit_lbfgs(network: Network, parameters: NetworkParameters, training: Samples, weight: float) -> tuple[float, int]:
    """Minimize loss + penalty of all samples, whose weights sum to ``weight``. Gives the loss and the number of iterations,
    and warns with a `ConvergenceWarning` if it did not converge."""
    if any(isinstance(layer, BatchNormalization | Dropout) for layer in network.layers):
        raise ValueError('layers with chance or with statistics of batches have no meaning for solver="lbfgs".')
    units = Units.of(parameters, network.output)
    regularizer = units.regularizer(parameters, weight)
    objective = Objective(network, regularizer)
    batch = training.take(training.rows)
    targets = targets_of(network, batch)
    vector = network.parameters.vector

    def value_and_gradient(point: Array) -> tuple[float, Array]:
        vector[...] = point
        with np.errstate(all="ignore"):
            loss = objective.descend(batch.x, targets, batch.weights).loss
        return (loss + penalty(network, regularizer)) / units.gradient, objective.gradient / units.gradient

    options = {"maxfun": parameters.max_fun, "maxiter": parameters.max_iter, "gtol": parameters.tol}
    found = minimize(value_and_gradient, vector.copy(), method="L-BFGS-B", jac=True, options=options)
    vector[...] = found.x
    if not np.isfinite(found.x).all():
        raise ValueError("Solver produced non-finite parameter weights. The input data may contain large values.")
    loss = units.loss(objective.descend(batch.x, targets, batch.weights).loss, penalty(network, regularizer))
    if parameters.verbose:
        print(f"Iteration {found.nit}, loss = {loss:.8f}")
    if found.status != 0:
        how = f"lbfgs failed to converge after {found.nit} iteration(s): {found.message}"
        warnings.warn(f"{how}. Increase max_iter, or scale the data.", ConvergenceWarning, stacklevel=4)
    return loss, int(found.nit)
