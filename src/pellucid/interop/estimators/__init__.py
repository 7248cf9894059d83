"""Estimators of scikit-learn that hold a Pellucid model; the door to them is `pellucid.sklearn`."""
