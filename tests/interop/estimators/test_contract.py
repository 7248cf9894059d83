"""scikit-learn's own contract of estimators, unmodified and with no failure that is expected."""

from __future__ import annotations

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = [
    pytest.mark.filterwarnings("default"),  # the checks of scikit-learn warn on purpose, and look at warnings themselves
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_not_to_converge_is_told():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        NetworkRegressor(max_iter=2).fit([[0.0], [1.0]], [0.0, 1.0])
