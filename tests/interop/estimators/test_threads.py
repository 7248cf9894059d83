"""A process with n_jobs does not use more cores than there are."""

from __future__ import annotations

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from pellucid.core.machine import available_cores
from pellucid.interop.estimators.threads import allowed_threads, limit_threads
from pellucid.models.network import Network
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.sklearn import NetworkRegressor


def inside(backend: str, count: int, **options: int) -> list[int]:
    with parallel_config(backend, n_jobs=count, **options):
        return Parallel()(delayed(allowed_threads)() for _ in range(count))


def test_processes_of_joblib_share_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert inside("loky", 2) == [max(1, available_cores() // 2)] * 2
    assert inside("loky", 2, inner_max_num_threads=1) == [1, 1]


@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])
def test_where_nobody_has_divided_the_cores_each_has_one(backend, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert inside(backend, 2) == [1, 1]


def test_a_limit_of_threadpoolctl_counts():
    with threadpool_limits(1):
        assert allowed_threads() == 1
        assert allowed_threads(3) == 3  # asked for


def test_training_and_answers_keep_to_the_limit():
    network = Network([Input(784), Dense(2000, "relu"), Regression()])  # work for many threads
    assert limit_threads(network, 200, 1) == 1
    assert network.native_forward.threads == 1


def test_the_number_of_threads_changes_no_bit():
    x = np.random.default_rng(0).normal(size=(400, 30))
    fitted = [
        NetworkRegressor((300,), max_iter=3, random_state=0, threads=n, tol=10.0, n_iter_no_change=1).fit(x, x[:, 0])
        for n in (1, 2)
    ]
    assert np.array_equal(fitted[0].coefs_[0], fitted[1].coefs_[0])
