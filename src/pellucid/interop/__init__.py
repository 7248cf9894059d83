"""Pellucid where other programs are at home: estimators for scikit-learn; later models in other formats."""
