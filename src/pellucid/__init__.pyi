# The types behind the lazy names of __init__.py: the same names, for editors and type checkers.
from pellucid import datasets, events, random
from pellucid.activations import Activation, register_activation
from pellucid.attribution import Attribution, WhatIf, attribute, deletion_curve, gradient_map, occlusion, what_if
from pellucid.callbacks import EarlyStopping
from pellucid.catalogue import register
from pellucid.clipping import ClipByGlobalNorm, ClipByValue, Clipping
from pellucid.errors import (
    ArgumentError,
    DataError,
    DivergenceError,
    GradientError,
    MissingDependencyError,
    ModelFileError,
    OutputError,
    PellucidError,
    ShapeError,
    UnknownNameError,
)
from pellucid.events import StopTraining
from pellucid.explanation.explain import explain
from pellucid.explanation.explanation import Explanation
from pellucid.gradient_check import gradcheck
from pellucid.history import History
from pellucid.initializers import Constant, Initializer, Orthogonal, VarianceScaling
from pellucid.layers.base import Context, Layer
from pellucid.layers.classification import BinaryClassification, Classification
from pellucid.layers.convolution import Conv2D
from pellucid.layers.dense import Dense
from pellucid.layers.dropout import Dropout, Dropout2D
from pellucid.layers.flatten import Flatten
from pellucid.layers.input import Input
from pellucid.layers.layer_normalization import LayerNormalization
from pellucid.layers.normalization import BatchNormalization
from pellucid.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.layers.regression import Regression
from pellucid.layers.rescale import Rescale
from pellucid.layers.residual import Residual
from pellucid.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError
from pellucid.model import Model, load
from pellucid.network import Network
from pellucid.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.parameters import ParameterSpec
from pellucid.pipeline.augmentation import Distortion
from pellucid.pipeline.digits import DigitPipeline
from pellucid.pipeline.photo_augmentation import PhotoAugmentation
from pellucid.pipeline.photos import PhotoPipeline
from pellucid.prediction import Prediction
from pellucid.regularizers import L1, L2, Regularizer
from pellucid.report import write_report
from pellucid.schedules import (
    ConstantRate,
    Cosine,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    Warmup,
)
from pellucid.trace.trace import Trace
from pellucid.training import train
from pellucid.version import __version__

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
    "CrossEntropy",
    "DataError",
    "Dense",
    "DigitPipeline",
    "Distortion",
    "DivergenceError",
    "Dropout",
    "Dropout2D",
    "EarlyStopping",
    "Explanation",
    "ExponentialDecay",
    "Flatten",
    "GlobalAveragePooling2D",
    "GradientDescent",
    "GradientError",
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
    "OneCycle",
    "Optimizer",
    "Orthogonal",
    "OutputError",
    "ParameterSpec",
    "PellucidError",
    "PhotoAugmentation",
    "PhotoPipeline",
    "Prediction",
    "RMSProp",
    "ReduceOnPlateau",
    "Regression",
    "Regularizer",
    "Rescale",
    "Residual",
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
    "datasets",
    "deletion_curve",
    "events",
    "explain",
    "gradcheck",
    "gradient_map",
    "load",
    "occlusion",
    "random",
    "register",
    "register_activation",
    "train",
    "what_if",
    "write_report",
]
