"""Pellucid: neural networks for images and tables, clear as glass.

    import pellucid as pl
    (x, y), (x_test, y_test) = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Classification(10)])
    network.fit(x, y, validation=(x_test, y_test), epochs=5)

Everything public is named here and fetched when it is first used, so that the import itself takes a few milliseconds;
``docs/reference/everything.md`` shows it on one page.
"""

from importlib import import_module as _import_module

_MODULES = {"datasets": "data.datasets", "events": "training.events", "random": "core.random"}
_HOMES = {
    "core.errors": "ArgumentError DataError DivergenceError GradientError MissingDependencyError ModelFileError "
    "OutputError PellucidError RunError ShapeError UnknownNameError",
    "core.version": "__version__",
    "data.augmentation.distortion": "Distortion",
    "data.augmentation.photo_augmentation": "PhotoAugmentation",
    "data.digits.digit_pipeline": "DigitPipeline",
    "data.photos.photo_pipeline": "PhotoPipeline",
    "inspection.attribution.attribute": "attribute",
    "inspection.attribution.class_activation": "class_activation_map",
    "inspection.attribution.deletion": "deletion_curve",
    "inspection.attribution.maps": "gradient_map occlusion",
    "inspection.attribution.result": "Attribution",
    "inspection.attribution.what_if": "WhatIf what_if",
    "inspection.gradcheck": "gradcheck",
    "inspection.trace.trace": "Trace",
    "mathematics.activations": "Activation register_activation",
    "mathematics.clipping": "ClipByGlobalNorm ClipByValue Clipping",
    "mathematics.initializers": "Constant Initializer Normal Orthogonal RandomSigns VarianceScaling",
    "mathematics.losses": "BinaryCrossEntropy CrossEntropy Huber Loss MeanAbsoluteError MeanSquaredError PinballLoss "
    "PoissonLoss",
    "mathematics.optimizers": "Adagrad Adam AdamW GradientDescent Optimizer RMSProp",
    "mathematics.regularizers": "L1 L2 Regularizer",
    "mathematics.schedules": "ConstantRate Cosine CosineLog ExponentialDecay OneCycle ReduceOnPlateau Schedule StepDecay "
    "Warmup",
    "models.model": "Model load",
    "models.network": "Network",
    "models.prediction": "Prediction",
    "models.pretrained.networks": "pretrained",
    "models.train": "train",
    "nn.catalogue": "register",
    "nn.layers.base": "Context Layer ParameterSpec",
    "nn.layers.batch_normalization": "BatchNormalization",
    "nn.layers.convolution": "Conv2D",
    "nn.layers.dense": "Dense",
    "nn.layers.dropout": "Dropout Dropout2D",
    "nn.layers.ensemble_dense": "EnsembleDense",
    "nn.layers.flatten": "Flatten",
    "nn.layers.input": "Input",
    "nn.layers.layer_normalization": "LayerNormalization",
    "nn.layers.outputs.classification": "BinaryClassification Classification",
    "nn.layers.outputs.regression": "Regression",
    "nn.layers.pooling": "AveragePooling2D GlobalAveragePooling2D MaxPooling2D",
    "nn.layers.rescale": "Rescale",
    "nn.layers.residual": "Residual",
    "reports.columns.importance": "PermutationImportance permutation_importance",
    "nn.layers.tabular.embedding": "Embedding",
    "nn.layers.tabular.grouped_dense": "GroupedDense",
    "nn.layers.tabular.periodic_embedding": "PeriodicEmbedding",
    "nn.layers.tabular.piecewise_linear_encoding": "PiecewiseLinearEncoding",
    "nn.layers.tabular.scale_features": "ScaleFeatures",
    "reports.explanation.explain": "explain",
    "reports.explanation.explanation": "Explanation",
    "reports.model_report.page": "write_report",
    "training.early_stopping": "EarlyStopping",
    "training.events": "StopTraining",
    "training.history": "History",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_MODULES, *_HOME_OF])


def __getattr__(name: str) -> object:
    """Fetch a public name from the module where it lives, once."""
    if name in _MODULES:
        return _import_module(f"pellucid.{_MODULES[name]}")
    if name not in _HOME_OF:
        from pellucid.core.vocabulary import unknown_attribute

        raise unknown_attribute(name, __all__, "pellucid")
    value = getattr(_import_module(f"pellucid.{_HOME_OF[name]}"), name)
    if isinstance(value, type):
        _import_module("pellucid.core.suggestions").suggest_arguments(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
