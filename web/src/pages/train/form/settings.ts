/** The settings of an experiment: how each is called, what it does, and how it is chosen. */
import type { Experiment } from "../types";

export type Control =
  | { kind: "choice"; options: readonly string[] }
  | { kind: "log"; low: number; high: number; zero?: true } // powers of ten; `zero`: the left end is 0
  | { kind: "range"; low: number; high: number; step: number }
  | { kind: "whole"; low: number; high: number }
  | { kind: "switch" };

export interface Setting {
  name: keyof Experiment;
  title: string;
  help: string;
  control: Control;
  only?: "points" | "images";
}

export const DATA_TITLES: Record<string, [title: string, help: string]> = {
  spirals: ["Two spirals", "Two arms wound around each other: hard for small networks."],
  circles: ["Circles", "A disk inside a ring."],
  moons: ["Two moons", "Two interlocking half circles."],
  blobs: ["Blobs", "One cloud of points per class: straight lines nearly separate them."],
  xor: ["Exclusive or", "Four corners; opposite ones share a class. No single neuron can separate them."],
  drawn: ["Your own points", "Draw points in the plane, one class at a time."],
  digits: ["Handwritten digits", "Pictures of 28 × 28 pixels from the MNIST data set."],
  folder: ["Your folder", "The photos that this studio was opened with, one folder per class."],
};

const ACTIVATIONS = [
  "relu",
  "relu6",
  "leaky_relu",
  "elu",
  "selu",
  "gelu",
  "silu",
  "softplus",
  "tanh",
  "sigmoid",
  "hard_sigmoid",
  "identity",
] as const;
export const OPTIMIZERS = ["adam", "adamw", "gradient_descent", "momentum", "nesterov", "rmsprop", "adagrad"] as const;
const SCHEDULES = ["constant", "cosine", "warmup", "one_cycle", "cosine_log", "exponential", "step", "reduce_on_plateau"] as const;

export const GROUPS: readonly { title: string; settings: readonly Setting[] }[] = [
  {
    title: "Data",
    settings: [
      {
        name: "samples",
        title: "Points",
        help: "How many points there are, training and validation together.",
        control: { kind: "range", low: 20, high: 2000, step: 20 },
        only: "points",
      },
      {
        name: "samples",
        title: "Pictures",
        help: "How many pictures there are. With few of them, the network soon overfits.",
        control: { kind: "log", low: 2, high: Math.log10(60_000) },
        only: "images",
      },
      {
        name: "noise",
        title: "Noise",
        help: "How far points stray from their place, as a standard deviation.",
        control: { kind: "range", low: 0, high: 0.5, step: 0.01 },
      },
      {
        name: "validation",
        title: "Validation share",
        help: "The share that the network does not learn from. It shows how much is memorized. Early stopping also chooses the epoch by it.",
        control: { kind: "range", low: 0, high: 0.9, step: 0.05 },
      },
      {
        name: "data_seed",
        title: "Data seed",
        help: "Another seed gives other samples, and another split into training and validation.",
        control: { kind: "whole", low: 0, high: 1e6 },
      },
    ],
  },
  {
    title: "Network",
    settings: [
      {
        name: "activation",
        title: "Activation",
        help: "The function that a neuron applies to its sum. With identity, all layers together are one.",
        control: { kind: "choice", options: ACTIVATIONS },
      },
      {
        name: "seed",
        title: "Seed",
        help: "Fixes initial weights, sample order and dropout: the same seed gives the same run.",
        control: { kind: "whole", low: 0, high: 1e6 },
      },
    ],
  },
  {
    title: "Training",
    settings: [
      {
        name: "optimizer",
        title: "Optimizer",
        help: "How a gradient becomes a step.",
        control: { kind: "choice", options: OPTIMIZERS },
      },
      {
        name: "learning_rate",
        title: "Learning rate",
        help: "How far each step goes. Too small is slow, too large diverges.",
        control: { kind: "log", low: -5, high: 1 },
      },
      {
        name: "schedule",
        title: "Schedule",
        help: "How the learning rate changes from the first step to the last.",
        control: { kind: "choice", options: SCHEDULES },
      },
      {
        name: "batch_size",
        title: "Batch size",
        help: "Samples per step. Small batches mean more steps, and noisier ones.",
        control: { kind: "whole", low: 1, high: 4096 },
      },
      {
        name: "epochs",
        title: "Epochs",
        help: "How many times each sample is seen before training ends.",
        control: { kind: "whole", low: 1, high: 1000 },
      },
    ],
  },
  {
    title: "Against overfitting",
    settings: [
      {
        name: "l2",
        title: "L2",
        help: "A penalty on the square of each weight: it keeps all of them small.",
        control: { kind: "log", low: -6, high: 0, zero: true },
      },
      {
        name: "l1",
        title: "L1",
        help: "A penalty on the absolute value of each weight: it drives many of them to 0.",
        control: { kind: "log", low: -6, high: 0, zero: true },
      },
      {
        name: "dropout",
        title: "Dropout",
        help: "The share of neurons that are set to 0 in a step, others each time.",
        control: { kind: "range", low: 0, high: 0.9, step: 0.05 },
      },
      {
        name: "batch_norm",
        title: "Batch normalization",
        help: "Scales each neuron's sum to mean 0 and variance 1 within the batch.",
        control: { kind: "switch" },
      },
      {
        name: "patience",
        title: "Early stopping",
        help: "Stops after this many epochs without a lower validation loss, and brings the best network back. 0 is off.",
        control: { kind: "whole", low: 0, high: 1000 },
      },
      {
        name: "augment",
        title: "Augmentation",
        help: "Changes each picture a little at random, each time it is seen.",
        control: { kind: "switch" },
      },
    ],
  },
];

const TITLES = new Map<string, string>(GROUPS.flatMap(({ settings }) => settings.map((one) => [one.name, one.title])));

/** How a field of an experiment is called on the page. */
export function titleOf(field: keyof Experiment): string {
  return (
    TITLES.get(field) ?? { data: "Data", hidden: "Hidden layers", layers: "Layers", points: "Points" }[field as string] ?? field
  );
}
