"""Every wrong call gets one sentence that says what came, what was expected or what to do; nothing has changed then.

One table: name, call, error class, words that the message must contain. A row about ``fit`` also fails when the refused
call had taken a step (see ``kit.fit``). Wrong files have a table of their own beside this one.
"""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl

NAN, INF = float("nan"), float("inf")
LONGEST_MESSAGE = 700


def row(name, call, error, *words):
    return pytest.param(call, error, words, id=name)


def one_hot(y, columns=10):
    return np.eye(columns)[y]


def with_nan(array):
    array = np.array(array, dtype=np.float32)
    array[3] = NAN
    return array


def layers(*between, first=None, last=None):
    return pl.Network([first or pl.Input(4), *between, last or pl.Classification(2)])


ARGUMENT, SHAPE, FILE, DATA = pl.ArgumentError, pl.ShapeError, pl.ModelFileError, pl.DataError

LAYERS = [
    row("units 0", lambda k: pl.Dense(0), ARGUMENT, "Dense(units)", "whole number of at least 1", "0"),
    row("units -1", lambda k: pl.Dense(-1), ARGUMENT, "Dense(units)", "-1"),
    row("units 1.5", lambda k: pl.Dense(1.5), ARGUMENT, "Dense(units)", "1.5"),
    row("units True", lambda k: pl.Dense(True), ARGUMENT, "Dense(units)", "True"),
    row("units text", lambda k: pl.Dense("12"), ARGUMENT, "Dense(units)", "'12'"),
    row("units None", lambda k: pl.Dense(None), ARGUMENT, "Dense(units)", "None"),
    row("units NaN", lambda k: pl.Dense(NAN), ARGUMENT, "Dense(units)", "nan"),
    row("units astronomical", lambda k: layers(pl.Dense(10**12)), ARGUMENT, "at most", "numbers"),
    row("activation misspelt", lambda k: pl.Dense(3, "rleu"), ARGUMENT, "unknown activation 'rleu'", "Did you mean 'relu'"),
    row(
        "activation of others",
        lambda k: pl.Dense(3, "Mish"),
        ARGUMENT,
        "unknown activation 'Mish'",
        "relu, relu6, leaky_relu",
    ),
    row("activation None", lambda k: pl.Dense(3, None), ARGUMENT, "activation None", "identity"),
    row("activation function", lambda k: pl.Dense(3, np.tanh), ARGUMENT, "unknown activation", "tanh"),
    row("softmax as activation", lambda k: pl.Dense(3, "softmax"), ARGUMENT, "unknown activation 'softmax'"),
    row("use_bias text", lambda k: pl.Dense(3, use_bias="no"), ARGUMENT, "use_bias", "bool", "'no'"),
    row(
        "initializer misspelt",
        lambda k: pl.Dense(3, initializer="he_norm"),
        ARGUMENT,
        "he_norm",
        "Did you mean 'he_normal'",
    ),
    row("initializer function", lambda k: pl.Dense(3, initializer=np.zeros), ARGUMENT, "a name or an Initializer"),
    row("layer regularizer number", lambda k: pl.Dense(3, regularizer=0.1), ARGUMENT, "regularizer", "Regularizer", "0.1"),
    row("layer regularizer class", lambda k: pl.Dense(3, regularizer=pl.L2), ARGUMENT, "regularizer", "L2"),
    row("dropout 1.0", lambda k: pl.Dropout(1.0), ARGUMENT, "Dropout(rate)", "[0, 1)", "1.0"),
    row("dropout negative", lambda k: pl.Dropout(-0.1), ARGUMENT, "Dropout(rate)", "-0.1"),
    row("dropout NaN", lambda k: pl.Dropout(NAN), ARGUMENT, "Dropout(rate)", "nan"),
    row("dropout True", lambda k: pl.Dropout(True), ARGUMENT, "Dropout(rate)", "number", "True"),
    row("dropout list", lambda k: pl.Dropout([0.5]), ARGUMENT, "Dropout(rate)", "number", "[0.5]"),
    row("batch norm momentum 1", lambda k: pl.BatchNormalization(1), ARGUMENT, "momentum", "[0, 1)"),
    row("batch norm epsilon 0", lambda k: pl.BatchNormalization(epsilon=0), ARGUMENT, "epsilon", "(0, inf)"),
    row("input empty", lambda k: pl.Input(), ARGUMENT, "Input(28, 28) for images", "Input(4)"),
    row("input 0", lambda k: pl.Input(28, 0), ARGUMENT, "size of Input", "0"),
    row("input float", lambda k: pl.Input(4.0), ARGUMENT, "size of Input", "4.0"),
    row("input tuple", lambda k: pl.Input((28, 28)), ARGUMENT, "size of Input", "(28, 28)"),
    row("input huge", lambda k: pl.Input(1 << 20, 1 << 20), ARGUMENT, "more than", "values a sample"),
    row("one class", lambda k: pl.Classification(1), ARGUMENT, "BinaryClassification()", "same for every input"),
    row("no class", lambda k: pl.Classification(0), ARGUMENT, "num_classes", "0"),
    row("too many classes", lambda k: pl.Classification(1 << 25), ARGUMENT, "at most", "classes"),
    row("smoothing 1", lambda k: pl.Classification(3, 1.0), ARGUMENT, "label_smoothing", "[0, 1)", "1.0"),
    row("smoothing text", lambda k: pl.Classification(3, "x"), ARGUMENT, "label_smoothing", "'x'"),
    row("binary smoothing", lambda k: pl.BinaryClassification(-0.1), ARGUMENT, "label_smoothing", "-0.1"),
    row("regression values", lambda k: pl.Regression(0), ARGUMENT, "num_values", "0"),
    row("regression loss", lambda k: pl.Regression(loss="mes"), ARGUMENT, "regression loss 'mes'", "mse, mae, huber"),
    row("classifier's loss", lambda k: pl.Regression(loss="cross_entropy"), ARGUMENT, "cross_entropy", "mse, mae, huber"),
]

RULES = [
    row("rate negative", lambda k: pl.Adam(-1e-3), ARGUMENT, "Adam(learning_rate)", "(0, inf)", "-0.001"),
    row("rate 0", lambda k: pl.GradientDescent(0), ARGUMENT, "GradientDescent(learning_rate)", "0"),
    row("rate NaN", lambda k: pl.AdamW(NAN), ARGUMENT, "AdamW(learning_rate)", "nan"),
    row("rate infinite", lambda k: pl.RMSProp(INF), ARGUMENT, "RMSProp(learning_rate)", "inf"),
    row("rate text", lambda k: pl.Adagrad("0.1"), ARGUMENT, "Adagrad(learning_rate)", "'0.1'"),
    row("rate beyond all floats", lambda k: pl.Adam(10**400), ARGUMENT, "Adam(learning_rate)"),
    row("beta1 1", lambda k: pl.Adam(beta1=1), ARGUMENT, "Adam(beta1)", "[0, 1)"),
    row("beta2 negative", lambda k: pl.Adam(beta2=-0.5), ARGUMENT, "Adam(beta2)", "-0.5"),
    row("epsilon 0", lambda k: pl.Adam(epsilon=0.0), ARGUMENT, "Adam(epsilon)", "(0, inf)"),
    row("decay negative", lambda k: pl.AdamW(weight_decay=-1), ARGUMENT, "AdamW(weight_decay)", "-1"),
    row("momentum 1", lambda k: pl.GradientDescent(momentum=1.0), ARGUMENT, "momentum", "[0, 1)"),
    row("nesterov alone", lambda k: pl.GradientDescent(nesterov=True), ARGUMENT, "nesterov", "momentum=0.9"),
    row("step decay every 0", lambda k: pl.StepDecay(0), ARGUMENT, "StepDecay(every)", "0"),
    row("step decay grows", lambda k: pl.StepDecay(3, 1.5), ARGUMENT, "StepDecay(drop)", "1.5"),
    row("exponential 0", lambda k: pl.ExponentialDecay(0.0), ARGUMENT, "ExponentialDecay(decay)", "(0, 1]"),
    row("cosine final", lambda k: pl.Cosine(2), ARGUMENT, "Cosine(final)", "[0, 1]"),
    row("warmup steps", lambda k: pl.Warmup(0), ARGUMENT, "Warmup(steps)", "0"),
    row("warmup then name", lambda k: pl.Warmup(5, "cosine"), ARGUMENT, "Warmup(then)", "Schedule", "'cosine'"),
    row("one cycle rise", lambda k: pl.OneCycle(rise=1.0), ARGUMENT, "OneCycle(rise)", "(0, 1)"),
    row("plateau patience", lambda k: pl.ReduceOnPlateau(patience=0), ARGUMENT, "ReduceOnPlateau(patience)"),
    row("L1 negative", lambda k: pl.L1(-1), ARGUMENT, "L1(strength)", "-1"),
    row("L2 NaN", lambda k: pl.L2(NAN), ARGUMENT, "L2(strength)", "nan"),
    row("clip norm 0", lambda k: pl.ClipByGlobalNorm(0), ARGUMENT, "ClipByGlobalNorm(maximum)", "(0, inf)"),
    row("clip value NaN", lambda k: pl.ClipByValue(NAN), ARGUMENT, "ClipByValue(maximum)", "nan"),
    row("constant infinite", lambda k: pl.Constant(INF), ARGUMENT, "Constant(value)", "inf"),
    row("orthogonal gain", lambda k: pl.Orthogonal(0), ARGUMENT, "Orthogonal(gain)"),
    row("variance fan", lambda k: pl.VarianceScaling(1.0, "fan_out", "normal"), ARGUMENT, "fan_out", "fan_in, fan_average"),
    row("huber delta", lambda k: pl.Huber(0), ARGUMENT, "Huber(delta)"),
    row("patience 0", lambda k: pl.EarlyStopping(0), ARGUMENT, "EarlyStopping(patience)", "0"),
    row("min_delta NaN", lambda k: pl.EarlyStopping(1, min_delta=NAN), ARGUMENT, "EarlyStopping(min_delta)", "nan"),
    row("distortion negative", lambda k: pl.Distortion(shift=-1), ARGUMENT, "Distortion(shift", "-1"),
    row("distortion text", lambda k: pl.Distortion(shift="x"), ARGUMENT, "Distortion(shift"),
    row("register a number", lambda k: pl.register(5), ARGUMENT, "dataclass", "5"),
    row("register taken name", lambda k: pl.register(type("Dense", (pl.Dense,), {})), ARGUMENT, "Dense", "taken"),
    row("activation built in", lambda k: pl.register_activation("relu", abs, abs), ARGUMENT, "'relu'", "another name"),
    row("activation no function", lambda k: pl.register_activation("mine", 3, 4), ARGUMENT, "'mine'", "two functions"),
]

NETWORKS = [
    row("no layers", lambda k: pl.Network([]), ARGUMENT, "first layer must be Input"),
    row("no input", lambda k: pl.Network([pl.Dense(3), pl.Classification(2)]), ARGUMENT, "first layer must be Input"),
    row("no output", lambda k: pl.Network([pl.Input(4), pl.Dense(3)]), ARGUMENT, "last layer must be Classification"),
    row("only input", lambda k: pl.Network([pl.Input(4)]), ARGUMENT, "last layer must be"),
    row("input inside", lambda k: layers(pl.Input(4)), ARGUMENT, "Input stands between", "Input is first"),
    row("output inside", lambda k: layers(pl.Regression()), ARGUMENT, "Regression stands between", "last"),
    row("class", lambda k: layers(pl.Flatten), ARGUMENT, "Flatten", "not a layer", "parentheses"),
    row("name", lambda k: layers("relu"), ARGUMENT, "'relu'", "not a layer"),
    row("not a list", lambda k: pl.Network(pl.Input(4)), ARGUMENT, "list of layers", "Input"),
    row("generator", lambda k: pl.Network(layer for layer in ()), ARGUMENT, "list of layers", "generator"),
    row("seed of 65 bits", lambda k: pl.Network([pl.Input(4), pl.Regression()], seed=2**64), ARGUMENT, "seed", "2**63 - 1"),
    row("seed that is -1", lambda k: pl.Network([pl.Input(4), pl.Regression()], seed=2**64 - 1), ARGUMENT, "seed"),
    row(
        "seed of thousands of digits", lambda k: pl.Network([pl.Input(4), pl.Regression()], seed=10**5000), ARGUMENT, "seed"
    ),
    row("seed of gradcheck", lambda k: pl.gradcheck("tanh", [1.0], seed=2**64), ARGUMENT, "seed"),
    row("seed float", lambda k: pl.Network([pl.Input(4), pl.Regression()], seed=1.5), ARGUMENT, "seed", "1.5"),
    row("dtype half", lambda k: k.images(dtype="float16"), ARGUMENT, "float32", "float16"),
    row("dtype nonsense", lambda k: k.images(dtype="flaot"), ARGUMENT, '"float32" or "float64"', "flaot"),
    row("parameter name", lambda k: k.classifier.parameters["dense_1.wieght"], ARGUMENT, "wieght", "'dense_1.weight'"),
    row(
        "parameter shape",
        lambda k: k.images().parameters.__setitem__("output.bias", np.zeros(3)),
        SHAPE,
        "output.bias",
        "(10,)",
        "(3,)",
    ),
    row(
        "parameter NaN",
        lambda k: k.images().parameters.__setitem__("output.bias", [NAN] * 10),
        SHAPE,
        "output.bias",
        "finite",
    ),
    row("parameter text", lambda k: k.images().parameters.__setitem__("output.bias", ["a"] * 10), SHAPE, "output.bias"),
    row("parameter complex", lambda k: k.images().parameters.__setitem__("output.bias", [1j] * 10), SHAPE, "output.bias"),
    row(
        "parameter beyond float32",
        lambda k: k.images().parameters.__setitem__("output.bias", [1e39] * 10),
        SHAPE,
        "output.bias",
    ),
    row("labels too few", lambda k: pl.Model(k.classifier, labels=["a", "b"]), ARGUMENT, "10 different labels", "2 came"),
    row("labels twice", lambda k: pl.Model(k.classifier, labels=["a"] * 10), ARGUMENT, "10 different labels"),
    row("labels one text", lambda k: pl.Model(k.classifier, labels="abcdefghij"), ARGUMENT, "list of names", "abcdefghij"),
    row("labels a number", lambda k: pl.Model(k.classifier, labels=10), ARGUMENT, "labels", "10"),
    row("labels for a regression", lambda k: pl.Model(k.regression, labels=["a"]), ARGUMENT, "labels", "1 came"),
    row("model of a path", lambda k: pl.Model("digits.safetensors"), ARGUMENT, "Network"),
    row("model with wrong pipeline", lambda k: pl.Model(k.classifier, pipeline="digits"), ARGUMENT, "pipeline", "'digits'"),
    row(
        "picture without pipeline",
        lambda k: pl.Model(k.regression).predict(k.x[0]),
        ARGUMENT,
        "no pipeline",
        "model.network.predict",
    ),
    row("no such picture", lambda k: pl.Model(k.classifier).predict("nowhere.png"), DATA, "nowhere.png", "does not exist"),
    row("number as picture", lambda k: pl.Model(k.classifier).predict(7), DATA, "int", "picture"),
    row("history of unknown figure", lambda k: k.classifier.history["losss"], ARGUMENT, "losss", "Did you mean 'loss'"),
    row("plot of nothing", lambda k: pl.History().plot(), ARGUMENT, "no finished epoch"),
    row("unknown public name", lambda k: pl.Densse, AttributeError, "Densse", "dir(pellucid)"),
]

PREDICTING = [
    row(
        "probabilities of a regression", lambda k: k.table().predict_proba(k.table_x), ARGUMENT, "regression", "use predict"
    ),
    row("predict one sample", lambda k: k.classifier.predict(k.x[0]), SHAPE, "one sample (28, 28)", "x[None]"),
    row(
        "predict flattened",
        lambda k: k.classifier.predict(k.x.reshape(60, -1)),
        SHAPE,
        "(60, 784)",
        "(B, 28, 28)",
        "x.reshape(-1, 28, 28)",
    ),
    row(
        "predict one flattened sample",
        lambda k: k.classifier.predict(k.x[0].ravel()),
        SHAPE,
        "(784,)",
        "x.reshape(1, 28, 28)",
    ),
    row(
        "predict last axis",
        lambda k: k.classifier.predict(k.x[..., None]),
        SHAPE,
        "(60, 28, 28, 1)",
        "x.reshape(-1, 28, 28)",
    ),
    row(
        "predict too wide",
        lambda k: k.classifier.predict(np.zeros((5, 32, 32), np.uint8)),
        SHAPE,
        "(5, 32, 32)",
        "(B, 28, 28)",
    ),
    row("predict None", lambda k: k.classifier.predict(None), SHAPE, "(B, 28, 28)"),
    row("predict number", lambda k: k.classifier.predict(3), SHAPE, "()", "(B, 28, 28)"),
    row("predict NaN", lambda k: k.table().predict(with_nan(k.table_x)), SHAPE, "x[3]", "NaN"),
    row("predict no samples", lambda k: k.classifier.predict(k.x[:0]), SHAPE, "no samples", "(0, 28, 28)"),
    row("predict_proba wrong", lambda k: k.classifier.predict_proba(k.x[0]), SHAPE, "x[None]"),
    row("forward wrong", lambda k: k.classifier.forward(k.x[0]), SHAPE, "x[None]"),
    row("evaluate lengths", lambda k: k.classifier.evaluate(k.x, k.y[:5]), SHAPE, "(5,)", "60 class numbers"),
    row(
        "evaluate zero weights",
        lambda k: k.classifier.evaluate(k.x, k.y, sample_weight=np.zeros(60)),
        SHAPE,
        "weights are 0",
    ),
]

GRADIENTS = [
    row("gradcheck number", lambda k: pl.gradcheck(5, k.x), ARGUMENT, "a network, a layer, a loss", "5"),
    row(
        "gradcheck unknown activation", lambda k: pl.gradcheck("reluu", k.table_x), ARGUMENT, "reluu", "Did you mean 'relu'"
    ),
    row("gradcheck network alone", lambda k: pl.gradcheck(k.regression), ARGUMENT, "gradcheck(network, x, y)", "0 arrays"),
    row("gradcheck layer alone", lambda k: pl.gradcheck(pl.Dense(3)), ARGUMENT, "gradcheck(layer, x)"),
    row("gradcheck loss alone", lambda k: pl.gradcheck(pl.CrossEntropy(), k.table_x), ARGUMENT, "outputs, targets"),
    row(
        "gradcheck loss shapes",
        lambda k: pl.gradcheck(pl.CrossEntropy(), np.zeros((3, 2)), np.zeros((2, 2))),
        ARGUMENT,
        "(3, 2)",
        "(2, 2)",
    ),
    row("gradcheck network shapes", lambda k: pl.gradcheck(k.regression, k.table_x, k.table_y), SHAPE, "(40,)", "(40, 2)"),
    row("gradcheck directions", lambda k: pl.gradcheck(pl.Dense(3), k.table_x, directions=0), ARGUMENT, "directions", "0"),
    row(
        "gradcheck nothing to compare",
        lambda k: pl.gradcheck(pl.Dense(3), np.zeros((2, 4))),
        pl.GradientError,
        "0 against 0",
    ),
    row("gradcheck text", lambda k: pl.gradcheck(pl.Dense(3), "abc"), ARGUMENT, "abc"),
]

FITTING = [
    row("x one sample", lambda k: k.fit(x=k.x[0]), SHAPE, "one sample (28, 28)", "x[None]"),
    row("x flattened", lambda k: k.fit(x=k.x.reshape(60, 784)), SHAPE, "(60, 784)", "x.reshape(-1, 28, 28)"),
    row("x channels last", lambda k: k.fit(x=k.x[..., None]), SHAPE, "(60, 28, 28, 1)", "x.reshape(-1, 28, 28)"),
    row("x int64 images", lambda k: k.fit(x=k.x.astype(np.int64)), SHAPE, "int64 (60, 28, 28)", "astype('uint8')"),
    row("x bool images", lambda k: k.fit(x=k.x > 99), SHAPE, "bool", "astype('uint8')"),
    row("x NaN", lambda k: k.fit(x=with_nan(k.x)), SHAPE, "x[3]", "NaN or infinity"),
    row("x infinite", lambda k: k.fit(x=np.where(k.x > 0, INF, 0.0)), SHAPE, "x[0]", "NaN or infinity"),
    row("x object", lambda k: k.fit(x=k.x.astype(object)), SHAPE, "object", "numbers are expected"),
    row("x text", lambda k: k.fit(k.table(), [["a"] * 4] * 40, k.table_y), SHAPE, "<U1 (40, 4)", "numbers are expected"),
    row("x complex", lambda k: k.fit(x=k.x + 1j), SHAPE, "complex128", "numbers are expected"),
    row("x dates", lambda k: k.fit(x=k.x.astype("datetime64[s]")), SHAPE, "datetime64", "numbers are expected"),
    row("x empty", lambda k: k.fit(x=k.x[:0], y=k.y[:0]), SHAPE, "no samples"),
    row("x empty list", lambda k: k.fit(x=[], y=[]), SHAPE, "(0,)", "(B, 28, 28)"),
    row("x ragged", lambda k: k.fit(k.table(), [[1, 2, 3, 4], [1, 2]], [1, 2]), SHAPE, "x", "(B, 4)"),
    row("x a file name", lambda k: k.fit(x="digits.csv"), SHAPE, "(B, 28, 28)"),
    row("y too short", lambda k: k.fit(y=k.y[:-1]), SHAPE, "(59,)", "60 class numbers"),
    row("y None", lambda k: k.fit(y=None), SHAPE, "60 class numbers"),
    row("y too large", lambda k: k.fit(y=k.y + 5), SHAPE, "class", "0 to 9"),
    row("y from 1", lambda k: k.fit(y=k.y + 1), SHAPE, "class 10", "0 to 9"),
    row("y negative", lambda k: k.fit(y=k.y - 1), SHAPE, "class -1", "0 to 9"),
    row("y fractions", lambda k: k.fit(y=k.y + 0.5), SHAPE, "float64 (60,)", "class numbers 0 to 9"),
    row("y NaN", lambda k: k.fit(y=with_nan(k.y)), SHAPE, "class numbers 0 to 9"),
    row("y names", lambda k: k.fit(y=[str(c) for c in k.y]), SHAPE, "<U1", "numpy.unique(names, return_inverse=True)"),
    row("y beyond int64", lambda k: k.fit(y=np.full(60, 1e300)), SHAPE, "0 to 9"),
    row("y two columns", lambda k: k.fit(y=np.stack([k.y, k.y], 1)), SHAPE, "(60, 2)", "60 class numbers"),
    row("y ragged", lambda k: k.fit(y=[[1], [2, 3]] * 30), SHAPE, "y", "60 class numbers"),
    row("one-hot sums", lambda k: k.fit(y=2 * one_hot(k.y)), SHAPE, "each row of y", "sum to 1"),
    row("one-hot negative", lambda k: k.fit(y=one_hot(k.y) * 2 - 0.1), SHAPE, "each row of y", "10 classes"),
    row("one-hot NaN", lambda k: k.fit(y=with_nan(one_hot(k.y))), SHAPE, "each row of y"),
    row("one-hot text", lambda k: k.fit(y=one_hot(k.y).astype(str)), SHAPE, "y"),
    row("one-hot complex", lambda k: k.fit(y=one_hot(k.y) + 0j), SHAPE, "y"),
    row("one-hot columns", lambda k: k.fit(y=one_hot(k.y)[:, :9]), SHAPE, "(60, 9)", "60 class numbers"),
    row("binary class 2", lambda k: k.fit(k.yes_no(), k.table_x, np.arange(40) % 3), SHAPE, "class 2", "0 to 1"),
    row("regression y NaN", lambda k: k.fit(k.table(), k.table_x, with_nan(k.table_y)), SHAPE, "y[3]", "NaN"),
    row("regression y text", lambda k: k.fit(k.table(), k.table_x, ["a"] * 40), SHAPE, "<U1", "real numbers"),
    row("regression y complex", lambda k: k.fit(k.table(), k.table_x, k.table_y + 1j), SHAPE, "complex128", "real numbers"),
    row("regression y columns", lambda k: k.fit(k.table(), k.table_x, np.zeros((40, 2))), SHAPE, "(40, 2)", "(40, 1)"),
    row("regression y beyond float32", lambda k: k.fit(k.table(), k.table_x, np.full(40, 1e39)), SHAPE, "y[0]"),
    row("weights length", lambda k: k.fit(sample_weight=np.ones(3)), SHAPE, "sample_weight", "(3,)", "(60,)"),
    row("weights negative", lambda k: k.fit(sample_weight=np.full(60, -1.0)), SHAPE, "sample_weight", "at least 0"),
    row("weights NaN", lambda k: k.fit(sample_weight=np.full(60, NAN)), SHAPE, "sample_weight", "finite"),
    row("weights all 0", lambda k: k.fit(sample_weight=np.zeros(60)), SHAPE, "weights are 0", "nothing to learn"),
    row("weights number", lambda k: k.fit(sample_weight=2.0), SHAPE, "sample_weight", "()", "(60,)"),
    row("weights text", lambda k: k.fit(sample_weight=["heavy"] * 60), SHAPE, "sample_weight"),
    row("weights complex", lambda k: k.fit(sample_weight=np.ones(60) + 1j), SHAPE, "sample_weight"),
    row("class weight unknown", lambda k: k.fit(class_weight={10: 2.0}), ARGUMENT, "class 10", "0 to 9"),
    row("class weight name", lambda k: k.fit(class_weight={"seven": 2.0}), ARGUMENT, "'seven'", "0 to 9"),
    row("class weight negative", lambda k: k.fit(class_weight={1: -2.0}), ARGUMENT, "class_weight[1]", "-2.0"),
    row("class weight misspelt", lambda k: k.fit(class_weight="balance"), ARGUMENT, '"balanced"', "'balance'"),
    row("class weight array", lambda k: k.fit(class_weight=np.ones(10)), ARGUMENT, "class_weight", "dict"),
    row("class weight key 1.0", lambda k: k.fit(class_weight={1.0: 2.0}), ARGUMENT, "class_weight", "1.0"),
    row("class weight key True", lambda k: k.fit(class_weight={True: 2.0}), ARGUMENT, "class_weight", "True"),
    row("class weight all 0", lambda k: k.fit(class_weight=dict.fromkeys(range(10), 0.0)), ARGUMENT, "weights are 0"),
    row("weights of absent classes", lambda k: k.fit(y=k.y * 0, class_weight={0: 0.0}), ARGUMENT, "weights are 0"),
    row(
        "class weight regression",
        lambda k: k.fit(k.table(), k.table_x, k.table_y, class_weight="balanced"),
        ARGUMENT,
        "class_weight",
        "sample_weight",
    ),
    row(
        "class weight soft targets",
        lambda k: k.fit(y=0.9 * one_hot(k.y) + 0.1 / one_hot(k.y).shape[1], class_weight="balanced"),
        ARGUMENT,
        "class_weight",
        "sample_weight",
    ),
    row("validation 0", lambda k: k.fit(validation=0), ARGUMENT, "validation", "(0, 1)"),
    row("validation 1", lambda k: k.fit(validation=1), ARGUMENT, "validation", "(0, 1)"),
    row("validation 1.5", lambda k: k.fit(validation=1.5), ARGUMENT, "validation", "1.5"),
    row("validation text", lambda k: k.fit(validation="x"), ARGUMENT, "validation", "'x'"),
    row("validation True", lambda k: k.fit(validation=True), ARGUMENT, "validation", "True"),
    row("validation three parts", lambda k: k.fit(validation=(k.x, k.y, k.y)), ARGUMENT, "validation", "(x, y)"),
    row("validation only x", lambda k: k.fit(validation=k.x), ARGUMENT, "validation", "(x, y)"),
    row("validation shape", lambda k: k.fit(validation=(k.x.reshape(60, 784), k.y)), SHAPE, "validation x", "(60, 784)"),
    row("validation y", lambda k: k.fit(validation=(k.x, k.y[:3])), SHAPE, "validation y", "(3,)"),
    row("validation keeps none", lambda k: k.fit(validation=0.001), ARGUMENT, "holds none out", "larger fraction"),
    row("epochs 0", lambda k: k.fit(epochs=0), ARGUMENT, "epochs", "at least 1", "0"),
    row("epochs float", lambda k: k.fit(epochs=2.0), ARGUMENT, "epochs", "2.0"),
    row("batch size 0", lambda k: k.fit(batch_size=0), ARGUMENT, "batch_size", "at least 1"),
    row("batch size -1", lambda k: k.fit(batch_size=-1), ARGUMENT, "batch_size", "-1"),
    row("batch size 1.5", lambda k: k.fit(batch_size=1.5), ARGUMENT, "batch_size", "1.5"),
    row("early stopping alone", lambda k: k.fit(early_stopping=3), ARGUMENT, "validation_loss", "validation=0.1"),
    row(
        "early stopping text", lambda k: k.fit(early_stopping="soon", validation=0.2), ARGUMENT, "early_stopping", "'soon'"
    ),
    row(
        "early stopping monitor",
        lambda k: k.fit(early_stopping=pl.EarlyStopping(2, "validation_f1"), validation=0.2),
        ARGUMENT,
        "validation_f1",
    ),
    row("schedule unknown", lambda k: k.fit(schedule="cosinus"), ARGUMENT, "schedule 'cosinus'", "Did you mean 'cosine'"),
    row("schedule class", lambda k: k.fit(schedule=pl.Cosine), ARGUMENT, "unknown schedule", "cosine"),
    row("optimizer class", lambda k: k.fit(optimizer=pl.Adam), ARGUMENT, "optimizer", "Optimizer", "Adam"),
    row("optimizer name", lambda k: k.fit(optimizer="adm"), ARGUMENT, "optimizer", "'adam'"),
    row("regularizer number", lambda k: k.fit(regularizer=1e-4), ARGUMENT, "regularizer", "Regularizer"),
    row("clipping number", lambda k: k.fit(clipping=1.0), ARGUMENT, "clipping", "Clipping"),
    row("callback text", lambda k: k.fit(callbacks=["print"]), ARGUMENT, "function of one event", "'print'"),
    row("callback class", lambda k: k.fit(callbacks=[pl.EarlyStopping]), ARGUMENT, "function of one event"),
    row("callbacks no list", lambda k: k.fit(callbacks=print), ARGUMENT, "callbacks", "list"),
    row("callbacks None", lambda k: k.fit(callbacks=None), ARGUMENT, "callbacks", "list"),
    row("augment text", lambda k: k.fit(augment="distort"), ARGUMENT, "augment", "'distort'"),
    row("augment class", lambda k: k.fit(augment=pl.Distortion), ARGUMENT, "augment", "Distortion"),
    row("augment floats", lambda k: k.fit(x=k.x / 255.0, augment=pl.Distortion()), SHAPE, "uint8", "float64"),
    row("progress loud", lambda k: k.fit(progress="loud"), ARGUMENT, "progress mode 'loud'", "auto, bar, lines, none"),
    row("progress None", lambda k: k.fit(progress=None), ARGUMENT, "progress mode None", "none"),
]


@pytest.mark.parametrize(("call", "error", "words"), [*LAYERS, *RULES, *NETWORKS, *PREDICTING, *GRADIENTS, *FITTING])
def test_a_wrong_call_is_refused_in_a_sentence(kit, call, error, words):
    kit.begun = False
    with pytest.raises(Exception) as caught:
        call(kit)
    message = str(caught.value)
    assert isinstance(caught.value, error), f"{type(caught.value).__name__}: {message}"
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"
    assert len(message) < LONGEST_MESSAGE, "the message pours out data"
    assert not kit.begun, "training had begun before the call was refused"


def test_the_table_is_long_enough_and_has_no_row_twice():
    names = [param.id for param in (*LAYERS, *RULES, *NETWORKS, *PREDICTING, *GRADIENTS, *FITTING)]
    assert len(names) == len(set(names)) >= 70
