# The types behind the lazy names of __init__.py: the same names, for editors and type checkers.
from pellucid import datasets, events, random
from pellucid.activations import Activation, register_activation
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
    PellucidError,
    ShapeError,
    UnknownNameError,
)
from pellucid.events import StopTraining
from pellucid.gradient_check import gradcheck
from pellucid.history import History
from pellucid.initializers import Constant, Initializer, Orthogonal, VarianceScaling
from pellucid.layers.base import Context, Layer
from pellucid.layers.classification import BinaryClassification, Classification
from pellucid.layers.dense import Dense
from pellucid.layers.dropout import Dropout
from pellucid.layers.flatten import Flatten
from pellucid.layers.input import Input
from pellucid.layers.normalization import BatchNormalization
from pellucid.layers.regression import Regression
from pellucid.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError
from pellucid.model import Model, Prediction, load
from pellucid.network import Network
from pellucid.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.parameters import ParameterSpec
from pellucid.pipeline.augmentation import Distortion
from pellucid.pipeline.digits import DigitPipeline
from pellucid.pipeline.photo_augmentation import PhotoAugmentation
from pellucid.regularizers import L1, L2, Regularizer
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
from pellucid.version import __version__

__all__ = [
    "L1",
    "L2",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
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
    "Cosine",
    "CrossEntropy",
    "DataError",
    "Dense",
    "DigitPipeline",
    "Distortion",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "ExponentialDecay",
    "Flatten",
    "GradientDescent",
    "GradientError",
    "History",
    "Huber",
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MissingDependencyError",
    "Model",
    "ModelFileError",
    "Network",
    "OneCycle",
    "Optimizer",
    "Orthogonal",
    "ParameterSpec",
    "PellucidError",
    "PhotoAugmentation",
    "Prediction",
    "RMSProp",
    "ReduceOnPlateau",
    "Regression",
    "Regularizer",
    "Schedule",
    "ShapeError",
    "StepDecay",
    "StopTraining",
    "UnknownNameError",
    "VarianceScaling",
    "Warmup",
    "__version__",
    "datasets",
    "events",
    "gradcheck",
    "load",
    "random",
    "register",
    "register_activation",
]
