"""The door `pellucid.sklearn`: what is behind it, and what it says where scikit-learn is not installed."""

from __future__ import annotations

import subprocess
import sys

import pellucid.sklearn


def test_it_shows_two_estimators():
    assert pellucid.sklearn.__all__ == ["NetworkClassifier", "NetworkRegressor"]
    assert all(getattr(pellucid.sklearn, name).__doc__ for name in pellucid.sklearn.__all__)


def test_without_scikit_learn_a_sentence_says_what_to_install():
    code = (
        "import sys\nsys.modules['sklearn'] = None\nimport pellucid as pl\n"
        "try:\n    import pellucid.sklearn\nexcept pl.MissingDependencyError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert 'pip install "pellucid[sklearn]"' in done.stdout, done.stderr
