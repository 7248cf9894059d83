/** What the chapters ask of the network; the answers are described in pages/inside/types.ts. */
import { model } from "../../session";
import { address, parameter } from "../../url";

const FIRST = "test-0"; // the picture of a reader who has drawn none

type More = Record<string, string | number | null>;

/** The addresses of the model and the sample of this page. */
export function about(path: string, more: More = {}): string {
  return address(path, { model: model.value?.name ?? "", sample: parameter("sample", FIRST), ...more });
}

/** The largest first. */
export function order(values: ArrayLike<number>, size: (value: number) => number = Math.abs): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => size(values[b]!) - size(values[a]!));
}
