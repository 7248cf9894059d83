"""The step of each optimizer: new slots from the old ones and the gradient, and new parameters from them."""

from __future__ import annotations

import math

from tracecheck.comparing import Checker, Record, Sized, exact, numbers, total

Slots = dict[str, list[float]]


def check_update(check: Checker, path: str, layer: Record, step: Record) -> None:
    """Check the new slots of every parameter of a layer, and its new values, which follow from them."""
    about = step["optimizer"]
    for name, update in layer.get("updates", {}).items():
        p, g = (numbers(layer[group][name]).flat for group in ("parameters", "gradients"))
        old: Slots = {slot: numbers(array).flat for slot, array in update["slots"].items()}
        new: Slots = {slot: numbers(array).flat for slot, array in update["new_slots"].items()}
        if about["type"] not in STEPS:
            check.faults.append(f"{path}: {about['type']} is not an optimizer that this program knows")
            return
        expected = slots_after(about, g, old)
        if set(expected) != set(new):
            check.faults.append(f"{path}.updates.{name} has the slots {sorted(new)}; {sorted(expected)} are expected")
            return
        for slot, values in expected.items():
            check.compare(f"{path}.updates.{name}.new_slots.{slot}", update["new_slots"][slot], values)
        moves = STEPS[about["type"]](about, g, new, step)
        is_weight = name == "weight" or name.startswith("vectors_")
        decay = step["rate"] * about.get("weight_decay", 0.0) if is_weight else 0.0
        moved = [total([one, -decay * one, -move]) for one, move in zip(p, moves, strict=True)]
        check.compare(f"{path}.updates.{name}.new", update["new"], moved)


def slots_after(about: Record, g: list[float], old: Slots) -> dict[str, list[Sized]]:
    """What the optimizer remembers after this gradient."""
    kind = about["type"]
    if kind == "GradientDescent":
        keep = about["momentum"]
        return {"velocity": [total([keep * v, one]) for v, one in zip(old["velocity"], g, strict=True)]} if keep else {}
    if kind == "Adagrad":
        return {"v": [total([v, one * one]) for v, one in zip(old["v"], g, strict=True)]}
    if kind == "RMSProp":
        return {"v": averaged(old["v"], [one * one for one in g], about["decay"])}
    means = averaged(old["m"], g, about["beta1"])
    return {"m": means, "v": averaged(old["v"], [one * one for one in g], about["beta2"])}


def averaged(old: list[float], new: list[float], keep: float) -> list[Sized]:
    """A moving average."""
    return [total([keep * a, (1 - keep) * b]) for a, b in zip(old, new, strict=True)]


def descent(about: Record, g: list[float], new: Slots, step: Record) -> list[float]:
    """rate g; with momentum rate v; Nesterov's: rate (g + momentum v)."""
    rate, keep = step["rate"], about["momentum"]
    if not keep:
        return [rate * one for one in g]
    pairs = zip(g, new["velocity"], strict=True)
    return [rate * (one + keep * v if about["nesterov"] else v) for one, v in pairs]


def adaptive_moments(about: Record, g: list[float], new: Slots, step: Record) -> list[float]:
    """rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)."""
    first, second = (1 - about[name] ** step["update"] for name in ("beta1", "beta2"))
    pairs = zip(new["m"], new["v"], strict=True)
    return [step["rate"] * (m / first) / (math.sqrt(v / second) + about["epsilon"]) for m, v in pairs]


def by_root(about: Record, g: list[float], new: Slots, step: Record) -> list[float]:
    """rate g / (sqrt(v) + epsilon)."""
    return [step["rate"] * one / (math.sqrt(v) + about["epsilon"]) for one, v in zip(g, new["v"], strict=True)]


def check_rate(check: Checker, step: Record) -> None:
    """The learning rate of the step is that of the optimizer."""
    check.compare("update.rate", step["rate"], exact([step["optimizer"]["learning_rate"]]))


STEPS = {
    "GradientDescent": descent,
    "Adam": adaptive_moments,
    "AdamW": adaptive_moments,
    "RMSProp": by_root,
    "Adagrad": by_root,
}
