/** What the server says of a look inside (Python: pellucid/apps/studio/pages/inside/overview.py); arrays come beside it, by name. */
import type { Block } from "../../api";

export interface LayerView {
  name: string; // "dense_1", "residual_1.conv2d_2"
  kind: string; // "dense", "max_pooling2d"
  description: string; // Dense(64, activation='relu')
  formula: string;
  activation: string | null;
  shape: number[]; // of its output: [units], [rows, columns] or [rows, columns, channels]
  sources: string[]; // whose outputs it takes: one, or the two branches of a residual block
  has_neurons: boolean;
  parameters: Record<string, number[]>;
  pictures: [number, number, number] | null; // of the weights of each unit, if they are one
}

export interface ScoreRow {
  label: string | number;
  score: number;
  scaled: number | null; // z / T, where there is a temperature
  shifted: number | null;
  exponential: number | null;
  probability: number | null;
  untempered: number | null; // with T = 1
  line: string | null;
}

export interface Answer {
  kind: "softmax" | "sigmoid" | "identity";
  best: number;
  label: string | number | number[];
  rows: ScoreRow[];
  total: number | null;
  temperature: number | null;
}

export interface Loss {
  name: string;
  value: number;
  targets: number[];
  terms: number[] | null;
  line: string;
}

/** Arrays: "input", and for each layer "dense_1.output", "dense_1.sums"; backward also .doutput, .slopes, .dsums. */
export interface Look {
  model: string;
  version: string;
  sample: string;
  truth: number | null;
  step: number;
  is_pixels: boolean;
  layers: LayerView[];
  answer: Answer;
  loss: Loss | null;
  update: { rate: number; number: number } | null;
}

export interface OwnParameter {
  name: string; // "bias", "gamma"
  value: number;
  gradient: number | null;
  new: number | null;
}

/** Arrays: positions (D, axes), origin (D), inputs, weights, products; backward also dweights, gradients, new. */
export interface Neuron {
  address: string;
  layer: string;
  unit: number;
  place: [number, number] | null;
  line: string;
  sources: string[];
  sum: number | null;
  activation: string | null;
  output: number;
  slope: number | null;
  doutput: number | null;
  dsum: number | null;
  back: string | null;
  parameters: OwnParameter[];
}

/** What the optimizer makes of one weight or bias (Python: pellucid/apps/studio/pages/inside/step.py). */
export interface Step {
  parameter: string; // "dense_1.weight[3, 17]"
  weight: string; // as it was asked for: "3", "bias"
  letter: string; // in the rules: w, b, gamma, beta
  before: number;
  gradient: number;
  after: number;
  slots: { name: string; before: number; after: number }[];
  lines: { rule: string; filled: string }[];
  memory: string;
}

export interface Edge {
  source: string;
  start: number[];
  layer: string;
  end: number[];
  value: number;
  share: number;
}

export type Arrays = Record<string, Block>;
export type Index = number[];

/** Where a number stands among the values of its layer, row by row. */
export function flatOf(shape: number[], index: Index): number {
  return index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0);
}

export function indexOf(shape: number[], flat: number): Index {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]!);
    flat = Math.floor(flat / shape[axis]!);
  }
  return index;
}

/** dense_1[17]; conv2d_1[3]@5,7 for a channel of an image at a row and a column. */
export function addressOf(layer: string, index: Index): string {
  return index.length === 1 ? `${layer}[${index[0]}]` : `${layer}[${index[2] ?? 0}]@${index[0]},${index[1]}`;
}

/** The index as the parameters of a question: a unit, and in an image a place. */
export function unitAndPlace(index: Index): Record<string, string | number> {
  return index.length === 1 ? { neuron: index[0]! } : { neuron: index[2] ?? 0, place: `${index[0]},${index[1]}` };
}
