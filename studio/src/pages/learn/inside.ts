/** What /api/inside says, as far as the chapters need it; all of it stands in pages/inside. */
import { model } from "../../session";
import { address, parameter } from "../../url";

export const FIRST = "test-0"; // the picture of a reader who has drawn none

export interface Layer {
  name: string;
  kind: string;
  formula: string;
  activation: string | null;
  shape: number[];
  sources: string[];
  has_neurons: boolean;
  parameters: Record<string, number[]>;
  pictures: number[] | null; // (H, W, C) of the weights of a unit that looks at pixels
}

export interface Overview {
  truth: number | null;
  layers: Layer[];
  answer: { kind: string; best: number; rows: { label: string | number; score: number; exponential: number | null; probability: number; line: string | null }[]; total: number | null };
}

export interface NeuronInFull {
  address: string;
  line: string;
  sum: number | null;
  activation: string | null;
  output: number;
  dsum: number | null;
  parameters: { name: string; value: number }[];
}

type More = Record<string, string | number | null>;

/** The addresses of the model and the sample of this page. */
export function about(path: string, more: More = {}): string {
  return address(path, { model: model.value?.name ?? "", sample: parameter("sample", FIRST), ...more });
}

/** The largest first. */
export function order(values: ArrayLike<number>, size: (value: number) => number = Math.abs): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => size(values[b]!) - size(values[a]!));
}
