"""The door for scikit-learn: ``from pellucid.sklearn import NetworkClassifier, NetworkRegressor``.

It needs scikit-learn 1.6 or newer: ``pip install "pellucid[sklearn]"``.
"""

from pellucid.core.errors import MissingDependencyError

try:
    import sklearn  # noqa: F401 - first the package: what is wrong further down shall say so itself
except ImportError:
    raise MissingDependencyError('pellucid.sklearn needs scikit-learn: pip install "pellucid[sklearn]".') from None

from pellucid.interop.estimators.classifier import NetworkClassifier
from pellucid.interop.estimators.regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
