/** What the server says about training, word for word (the API of /api/runs). */
import type { Packed } from "../../api";

export type DataName = "digits" | "folder" | "table" | "circles" | "moons" | "spirals" | "blobs" | "xor" | "drawn";
export type Point = [x1: number, x2: number, label: number];

export interface Experiment {
  data: DataName;
  samples: number;
  noise: number;
  data_seed: number;
  points?: Point[] | null; // of "drawn"
  validation: number; // the share that is held out
  hidden: number[];
  layers: string | null; // words such as "conv16 pool dense64", in place of `hidden`
  activation: string;
  dropout: number;
  batch_norm: boolean;
  l1: number;
  l2: number;
  optimizer: string;
  learning_rate: number;
  schedule: string;
  epochs: number;
  batch_size: number;
  augment: boolean;
  patience: number; // of early stopping, in epochs; 0: none
  seed: number;
}

export type State = "paused" | "running" | "finished" | "diverged" | "failed";

export interface Figures {
  step: number;
  epoch: number; // a fraction
  loss: number | null;
  accuracy?: number | null; // of a classification
  mae?: number | null; // of a regression the mean error, in the units of its target
  validation_loss: number | null;
  validation_accuracy?: number | null;
  validation_mae?: number | null;
  learning_rate: number | null;
}

export interface RunSummary extends StateEvent {
  name: string;
  experiment: Experiment;
  kind: "points" | "images" | "rows";
  table: { name: string; target: string; rows: number; held_out: number; chosen: string } | null; // of rows: what it learns
  labels: (string | number)[];
  layers: string[];
  parameters: number;
  engine: string;
  steps_per_epoch: number;
  kept: number[]; // the steps of its checkpoints
  history: Figures[];
  saved: boolean;
  parent: { run: string; step: number } | null;
}

export interface StateEvent {
  state: State;
  message: string | null;
  epoch: number;
  step: number;
  learning_rate: number;
  steps_per_second: number | null;
  pace: number | null; // steps a second, at most
  gap_in_words: string | null; // what the last accuracies on training and validation samples mean
}

export interface Histogram {
  low: number;
  high: number;
  counts: number[];
}

export interface LayerLook {
  name: string;
  units: number;
  dead: number | null; // units that gave 0 for every sample that was looked at
  histograms: { weights?: Histogram | null; activations?: Histogram | null; gradients?: Histogram | null };
  weights?: Packed | null; // on pixels: (n, H, W[, C]) pictures of units; on points: the whole matrix
  neurons?: Packed | null; // (n, g, g): what each neuron gives over the plane
}

export interface Look {
  step: number;
  boundary?: Packed | null; // (G, G, K) probabilities x 255, row 0 at the top
  layers: LayerLook[];
}

export interface PointSet {
  x: Packed;
  y: number[];
  x_validation: Packed;
  y_validation: number[];
  extent: [number, number];
}
