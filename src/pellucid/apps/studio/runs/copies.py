"""Copies of a network that is learning, for the pages that read with it and for files."""

from __future__ import annotations

import time
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

from pellucid.apps.studio.runs.experiment import Experiment
from pellucid.apps.studio.runs.figures import WORK_ASIDE, some
from pellucid.apps.studio.runs.material import Material
from pellucid.core.errors import DivergenceError
from pellucid.models.calibrate import calibrate
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.training.history import History

SECONDS_TO_LIVE = 0.5  # of a copy, while the network goes on learning


class Copies:
    """The newest copy, and which state of the network it holds: ``version`` counts these states."""

    def __init__(self, network: Network, experiment: Experiment, material: Material) -> None:
        self._network = network
        self._experiment = experiment
        self._material = material
        self._model: Model | None = None
        self._is_of = (-1, False)  # a version, and whether the network was learning
        self._made = 0.0
        self._saved_version: int | None = None

    def model(self, version: int, history: History, *, is_learning: bool) -> Model:
        """A copy with pipeline and labels. Of a network that stands still it is calibrated on what is held out, and the
        same as long as nothing changes."""
        is_fresh = self._is_of == (version, is_learning)
        if is_learning and self._is_of[1] and time.perf_counter() - self._made < SECONDS_TO_LIVE:
            is_fresh = True
        if self._model is None or not is_fresh:
            model = self._made_of(self._copied(history), is_learning)
            self._model, self._is_of, self._made = model, (version, is_learning), time.perf_counter()
        return self._model

    def mark_saved(self, model: Model) -> None:
        """This copy is in a file now."""
        if model is self._model:
            self._saved_version = self._is_of[0]

    def is_saved(self, version: int) -> bool:
        return self._saved_version == version

    def _made_of(self, network: Network, is_learning: bool) -> Model:
        """The model of a copied network, calibrated unless it is learning."""
        material = self._material
        if material.table is not None:
            material.table.training.to_own_units(network)
        model = Model(network, material.pipeline, material.labels)
        if material.validation is None or is_learning:
            return model
        with suppress(DivergenceError):  # nothing can be said of one that gives no numbers
            if material.table is not None:
                return material.table.training.measured(network)
            kept_aside = some(material.validation, network, WORK_ASIDE)
            calibrate(model, kept_aside.x, kept_aside.y, kept_aside.rows)
        return model

    def _copied(self, history: History) -> Network:
        """A network of its own with the same numbers, which can go on training from here."""
        old = self._network
        network = Network(old.layers, old.seed, arrays={**old.parameters, **old.state})
        recipe = self._experiment.recipe
        options = recipe.fit_options() | {"early_stopping": recipe.patience or None}
        network.training_state = replace(
            old.training_state,
            optimizer_state=deepcopy(old.training_state.optimizer_state),
            settings={name: repr(value) for name, value in options.items() if value is not None},
        )
        network.history = history
        return network
