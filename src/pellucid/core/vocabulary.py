"""The words of other libraries, and ours for the same things; and the nearest of ours for a misspelt one.

Only an unknown name reads this file. A name of a kind in `SYNONYMS` is accepted in any spelling ("ReLU", "leaky-relu")
and by its usual synonyms; what is kept and saved is ours. Any other word of `WORDS` is answered with ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# kind of name -> another word -> ours; whoever looks up a name of these kinds uses the one that `one_of` returns
SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "activation": {"linear": "identity", "logistic": "sigmoid", "swish": "silu"},
    "initializer": {
        "kaiming_normal": "he_normal",
        "kaiming_uniform": "he_uniform",
        "xavier_normal": "glorot_normal",
        "xavier_uniform": "glorot_uniform",
    },
    "optimizer": {"sgd": "gradient_descent"},
    "regression loss": {"mean_squared_error": "mse", "l2": "mse", "mean_absolute_error": "mae", "l1": "mae"},
    "regularizer": {},
    "schedule": {"cosine_annealing": "cosine", "cosine_decay": "cosine", "exponential_decay": "exponential"},
}

_ACTIVATIONS = "ReLU ReLU6 LeakyReLU ELU SELU GELU SiLU Softplus Sigmoid Tanh"
_LOSS = 'it belongs to the output layer: Classification(...), BinaryClassification() or Regression(loss="mse")'
_OURS = "every name is in pl itself, such as pl.Dense(units) or pl.Adam(learning_rate)"
_SEED = "pl.Network([...], seed=0), which decides all that is random"
_SCORE = 'evaluate(x, y)["accuracy"], or ["r2"] of a regression'

# where it is said, who says it, the words, and ours for them; ours that is a single name holds only where that name exists
WORDS: tuple[tuple[str, str, str, str], ...] = (
    ("pellucid", "Keras", "Sequential", "pl.Network([pl.Input(...), ..., pl.Classification(num_classes)])"),
    ("pellucid", "Keras", "layers optimizers losses metrics activations callbacks models", _OURS),
    ("pellucid", "Keras", "ModelCheckpoint", "pl.EarlyStopping(patience), which restores the best parameters"),
    ("pellucid", "Keras", "Rescaling Normalization", "the layer pl.Rescale.fit(x)"),
    ("pellucid", "Keras", "ImageDataGenerator", "fit(augment=pl.PhotoAugmentation())"),
    ("pellucid", "Keras", "image_dataset_from_directory", "pl.datasets.folder(path)"),
    ("pellucid", "Keras", "to_categorical", "nothing needs it: y is class numbers, as they are"),
    ("pellucid", "Keras", "set_random_seed", _SEED),
    ("pellucid", "Keras", "load_model", "pl.load(path)"),
    ("pellucid", "Keras", "MSE MAE", 'pl.MeanSquaredError(), pl.MeanAbsoluteError(), or by name Regression(loss="mse")'),
    ("pellucid", "PyTorch", "SGD", "pl.GradientDescent(learning_rate, momentum)"),
    ("pellucid", "PyTorch", "optim nn functional F", _OURS),
    ("pellucid", "PyTorch", "manual_seed", _SEED),
    ("pellucid", "PyTorch", "Tensor from_numpy", "a NumPy array, as it is"),
    ("pellucid", "PyTorch", "DataLoader", "fit(x, y, batch_size=32), which draws the batches"),
    ("pellucid", "PyTorch", "no_grad", "network.predict(x), which computes no gradients"),
    ("pellucid", "PyTorch", "save", "network.save(path)"),
    ("pellucid", "PyTorch", "AdaptiveAvgPool2d", "pl.GlobalAveragePooling2D()"),
    ("pellucid", "PyTorch", "CosineAnnealingLR StepLR", 'the schedule of a training, as in fit(schedule="cosine")'),
    ("pellucid", "PyTorch", "Module", "pl.Network for a whole network, pl.Layer for a layer of one's own"),
    ("pellucid", "PyTorch", "Linear", "pl.Dense(units), which finds the size of its input by itself"),
    ("pellucid", "PyTorch", "Conv2d", "pl.Conv2D(filters, kernel_size), which finds the channels of its input by itself"),
    ("pellucid", "PyTorch", "LayerNorm", "pl.LayerNormalization()"),
    ("pellucid", "PyTorch", _ACTIVATIONS, 'a name in a layer, as in pl.Dense(128, "relu")'),
    ("pellucid", "PyTorch", "Softmax CrossEntropyLoss", "the output layer pl.Classification(num_classes), which has it"),
    ("pellucid", "PyTorch", "BCELoss BCEWithLogitsLoss", "the output layer pl.BinaryClassification(), which has it"),
    ("pellucid", "PyTorch", "MSELoss", 'the output layer pl.Regression(loss="mse"), which has it'),
    ("pellucid", "scikit-learn", "MLPClassifier MLPRegressor", "pl.Network([...])"),
    ("pellucid", "scikit-learn", "StandardScaler", "the layer pl.Rescale.fit(x)"),
    ("pellucid", "scikit-learn", "train_test_split", "fit(x, y, validation=0.2), which holds a part out"),
    ("pellucid.datasets", "Keras", "fashion_mnist", "pl.datasets.fashion()"),
    ("pellucid.datasets", "PyTorch", "ImageFolder", "pl.datasets.folder(path)"),
    ("pellucid.datasets", "scikit-learn", "load_digits", "pl.datasets.digits()"),
    ("Network", "Keras", "summary", "print(network)"),
    ("Network", "Keras", "weights get_weights", "network.parameters"),
    ("Network", "Keras", "set_weights load_weights", 'network.parameters["dense_1.weight"] = array, or pl.load(path)'),
    ("Network", "Keras", "count_params", "print(network)"),
    ("Network", "Keras", "predict_classes", "network.predict(x)"),
    ("Network", "Keras", "loss optimizer", "network.fit(x, y, optimizer=...); the output layer has the loss"),
    ("Network", "Keras", "add", "all layers are given at once: pl.Network([...])"),
    ("Network", "Keras", "compile", "nothing is compiled: network.fit(x, y, optimizer=...); the output layer has the loss"),
    ("Network", "PyTorch", "state_dict", "network.parameters"),
    ("Network", "PyTorch", "backward", "network.gradients(x, y)"),
    ("Network", "PyTorch", "train eval", "there are no modes: network.fit trains, network.predict predicts"),
    ("Network", "PyTorch", "to cuda cpu", "nothing is moved: all runs on the processor"),
    ("Network", "scikit-learn", "coef_ coefs_ get_params", "network.parameters"),
    ("Network", "scikit-learn", "score", f"network.{_SCORE}"),
    ("Model", "Keras", "fit history weights", "it is the network's: see model.network"),
    ("Model", "Keras", "summary", "print(model.network)"),
    ("Model", "PyTorch", "parameters forward", "it is the network's: see model.network"),
    ("Model", "scikit-learn", "score", f"model.{_SCORE}"),
    ("History", "Keras", "history", 'the history itself, as in history["loss"]'),
    ("fit", "Keras", "validation_data", "validation=(x, y)"),
    ("fit, train", "Keras", "validation_split", "validation=0.2"),
    ("fit, train", "Keras", "verbose", 'progress="none", "lines" or "bar"'),
    ("fit, train", "Keras", "learning_rate lr", "it belongs to the optimizer, as in optimizer=pl.Adam(0.01)"),
    ("fit, train", "Keras", "loss", _LOSS),
    ("fit, train", "Keras", "metrics", "accuracy, or mae and r2 of a regression, is always measured: see network.history"),
    ("fit, train", "Keras", "patience", "early_stopping=5, or an EarlyStopping"),
    ("fit, train", "scikit-learn", "max_iter", "epochs=10"),
    ("fit", "scikit-learn", "random_state seed", _SEED),
    ("evaluate, predict, predict_proba", "Keras", "verbose", "nothing is printed"),
    ("evaluate, predict, predict_proba", "Keras", "batch_size", "any number of samples is taken at once, in little memory"),
    ("save", "Keras", "overwrite", "a model file is always replaced, and nothing else"),
    ("argument", "Keras", "input_shape", "it is in the first layer, as in pl.Input(28, 28)"),
    ("argument", "Keras", "activation", "Dense, Conv2D, BatchNormalization and Residual have one, output layers their own"),
    ("argument", "Keras", "l1 l2", "strength"),
    ("argument", "PyTorch", "in_features in_channels", "a layer finds the size of its input by itself"),
    ("argument", "PyTorch", "out_features", "units"),
    ("argument", "PyTorch", "out_channels", "filters"),
    ("argument", "PyTorch", "p", "rate"),
    ("argument", "PyTorch", "lr", "learning_rate"),
    ("argument", "PyTorch", "weight_decay", "pl.AdamW(weight_decay=...), or fit(regularizer=pl.L2(strength))"),
    ("argument", "PyTorch", "max_norm", "maximum"),
    ("argument", "scikit-learn", "random_state", "seed"),
    ("activation", "Keras", "None", 'the activation "identity"'),
    ("initializer", "PyTorch", "xavier glorot", '"glorot_normal" or "glorot_uniform"'),
    ("initializer", "PyTorch", "kaiming he", '"he_normal" or "he_uniform"'),
    ("activation", "Keras", "softmax", "the output layer Classification(num_classes), which has it"),
    ("regression loss", "Keras", "categorical_crossentropy CategoricalCrossentropy", "a Classification(num_classes)"),
    ("regression loss", "Keras", "binary_crossentropy BinaryCrossentropy", "the output layer BinaryClassification()"),
    ("metric", "Keras", "val_loss val_accuracy val_mae", "validation_loss and so on, which fit(validation=...) measures"),
)


def translated(name: object, names: Collection[str], kind: str) -> str | None:
    """The one of ``names`` that this name of a ``kind`` means; None if it means none."""
    if not isinstance(name, str) or kind not in SYNONYMS:
        return None
    known = {_plain(word): ours for word, ours in SYNONYMS[kind].items() if ours in names}
    return (known | {_plain(ours): ours for ours in names}).get(_plain(name))


def explained(name: object, names: Collection[str], where: str, known: str = "") -> str:
    """What follows an unknown name in an error: ours for a word of `WORDS`; else which are ``known``, and the nearest.

    ``where`` is one of the places of `WORDS`, or several with commas.
    """
    for places, who, words, ours in WORDS:
        is_there = not {*where.split(", ")}.isdisjoint(places.split(", ")) and (ours in names or not ours.isidentifier())
        if is_there and str(name).lower() in words.lower().split():
            return f": {who} calls it {name}; here {ours}."
    from difflib import get_close_matches

    known = known or (f"the known ones are {', '.join(names)}" if names else "there are none")
    plain = {_plain(ours): ours for ours in names}
    near = get_close_matches(_plain(str(name)), plain, n=1)
    return f"; {known}." + (f" Did you mean {plain[near[0]]!r}?" if near else "")


def unknown_attribute(name: str, names: Collection[str], owner: str) -> AttributeError:
    """The error for an attribute that ``owner`` lacks; ``names`` are those that it has."""
    hint = ""
    if not name.startswith("_"):  # Python and notebooks look for those in vain, and often
        public = [own for own in names if not own.startswith("_")]
        hint = explained(name, public, owner, f"see dir({owner.lower()}) for its names")
    return AttributeError(f"{owner} has no {name!r}{hint}", name=name)  # given the object, Python would add its own guess


def _plain(name: str) -> str:
    """Letters and digits alone, in lower case: ``LeakyReLU``, ``leaky-relu`` and ``leaky_relu`` are one name."""
    return re.sub(r"[\W_]", "", name).lower()
