"""Pellucid: neural networks for images and tables, clear as glass.

    import pellucid as pl
    (x, y), (x_test, y_test) = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Classification(10)])
    network.fit(x, y, validation=(x_test, y_test), epochs=5)

Everything public is named here and fetched when it is first used, so that the import itself takes a few milliseconds;
``docs/everything.md`` shows it on one page.
"""

from importlib import import_module as _import_module

_MODULES = ("datasets", "events", "random")
_HOMES = {
    "events": "StopTraining",
    "activations": "Activation register_activation",
    "attribution": "Attribution WhatIf attribute deletion_curve gradient_map occlusion what_if",
    "callbacks": "EarlyStopping",
    "catalogue": "register",
    "clipping": "ClipByGlobalNorm ClipByValue Clipping",
    "errors": "ArgumentError DataError DivergenceError GradientError MissingDependencyError ModelFileError OutputError "
    "PellucidError ShapeError UnknownNameError",
    "explanation.explain": "explain",
    "explanation.explanation": "Explanation",
    "gradient_check": "gradcheck",
    "history": "History",
    "initializers": "Constant Initializer Orthogonal VarianceScaling",
    "layers.base": "Context Layer",
    "layers.classification": "BinaryClassification Classification",
    "layers.convolution": "Conv2D",
    "layers.dense": "Dense",
    "layers.dropout": "Dropout Dropout2D",
    "layers.flatten": "Flatten",
    "layers.input": "Input",
    "layers.layer_normalization": "LayerNormalization",
    "layers.normalization": "BatchNormalization",
    "layers.pooling": "AveragePooling2D GlobalAveragePooling2D MaxPooling2D",
    "layers.regression": "Regression",
    "layers.rescale": "Rescale",
    "layers.residual": "Residual",
    "losses": "BinaryCrossEntropy CrossEntropy Huber Loss MeanAbsoluteError MeanSquaredError",
    "model": "Model load",
    "network": "Network",
    "optimizers": "Adagrad Adam AdamW GradientDescent Optimizer RMSProp",
    "parameters": "ParameterSpec",
    "pipeline.augmentation": "Distortion",
    "pipeline.digits": "DigitPipeline",
    "pipeline.photo_augmentation": "PhotoAugmentation",
    "pipeline.photos": "PhotoPipeline",
    "prediction": "Prediction",
    "regularizers": "L1 L2 Regularizer",
    "report": "write_report",
    "schedules": "ConstantRate Cosine ExponentialDecay OneCycle ReduceOnPlateau Schedule StepDecay Warmup",
    "trace.trace": "Trace",
    "training": "train",
    "version": "__version__",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_MODULES, *_HOME_OF])


def __getattr__(name: str) -> object:
    """Fetch a public name from the module where it lives, once."""
    if name in _MODULES:
        return _import_module(f"pellucid.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"pellucid has no {name!r}; see dir(pellucid) for its names")
    value = getattr(_import_module(f"pellucid.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
