# The types behind the lazy names of __init__.py: the same names, for editors and type checkers.
from pellucid.core import random
from pellucid.core.errors import (
    ArgumentError,
    DataError,
    DivergenceError,
    GradientError,
    MissingDependencyError,
    ModelFileError,
    OutputError,
    PellucidError,
    RunError,
    ShapeError,
    UnknownNameError,
)
from pellucid.core.version import __version__
from pellucid.data import datasets
from pellucid.data.augmentation.distortion import Distortion
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation
from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.inspection.attribution.attribute import attribute
from pellucid.inspection.attribution.class_activation import class_activation_map
from pellucid.inspection.attribution.deletion import deletion_curve
from pellucid.inspection.attribution.maps import gradient_map, occlusion
from pellucid.inspection.attribution.result import Attribution
from pellucid.inspection.attribution.what_if import WhatIf, what_if
from pellucid.inspection.gradcheck import gradcheck
from pellucid.inspection.trace.trace import Trace
from pellucid.mathematics.activations import Activation, register_activation
from pellucid.mathematics.clipping import ClipByGlobalNorm, ClipByValue, Clipping
from pellucid.mathematics.initializers import Constant, Initializer, Normal, Orthogonal, RandomSigns, VarianceScaling
from pellucid.mathematics.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    PinballLoss,
    PoissonLoss,
)
from pellucid.mathematics.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.mathematics.regularizers import L1, L2, Regularizer
from pellucid.mathematics.schedules import (
    ConstantRate,
    Cosine,
    CosineLog,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    Warmup,
)
from pellucid.models.model import Model, load
from pellucid.models.network import Network
from pellucid.models.prediction import Prediction
from pellucid.models.pretrained.networks import pretrained
from pellucid.models.train import train
from pellucid.nn.catalogue import register
from pellucid.nn.layers.base import Context, Layer, ParameterSpec
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures
from pellucid.reports.columns.importance import PermutationImportance, permutation_importance
from pellucid.reports.explanation.explain import explain
from pellucid.reports.explanation.explanation import Explanation
from pellucid.reports.model_report.page import write_report
from pellucid.training import events
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import StopTraining
from pellucid.training.history import History

__all__ = [
    "L1",
    "L2",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "Attribution",
    "AveragePooling2D",
    "BatchNormalization",
    "BinaryClassification",
    "BinaryCrossEntropy",
    "Classification",
    "ClipByGlobalNorm",
    "ClipByValue",
    "Clipping",
    "Constant",
    "ConstantRate",
    "Context",
    "Conv2D",
    "Cosine",
    "CosineLog",
    "CrossEntropy",
    "DataError",
    "Dense",
    "DigitPipeline",
    "Distortion",
    "DivergenceError",
    "Dropout",
    "Dropout2D",
    "EarlyStopping",
    "Embedding",
    "EnsembleDense",
    "Explanation",
    "ExponentialDecay",
    "Flatten",
    "GlobalAveragePooling2D",
    "GradientDescent",
    "GradientError",
    "GroupedDense",
    "History",
    "Huber",
    "Initializer",
    "Input",
    "Layer",
    "LayerNormalization",
    "Loss",
    "MaxPooling2D",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MissingDependencyError",
    "Model",
    "ModelFileError",
    "Network",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Orthogonal",
    "OutputError",
    "ParameterSpec",
    "PellucidError",
    "PeriodicEmbedding",
    "PermutationImportance",
    "PhotoAugmentation",
    "PhotoPipeline",
    "PiecewiseLinearEncoding",
    "PinballLoss",
    "PoissonLoss",
    "Prediction",
    "RMSProp",
    "RandomSigns",
    "ReduceOnPlateau",
    "Regression",
    "Regularizer",
    "Rescale",
    "Residual",
    "RunError",
    "ScaleFeatures",
    "Schedule",
    "ShapeError",
    "StepDecay",
    "StopTraining",
    "Trace",
    "UnknownNameError",
    "VarianceScaling",
    "Warmup",
    "WhatIf",
    "__version__",
    "attribute",
    "class_activation_map",
    "datasets",
    "deletion_curve",
    "events",
    "explain",
    "gradcheck",
    "gradient_map",
    "load",
    "occlusion",
    "permutation_importance",
    "pretrained",
    "random",
    "register",
    "register_activation",
    "train",
    "what_if",
    "write_report",
]
