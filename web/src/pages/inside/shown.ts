/** Which number of a layer is shown: forward what it gives; backward the gradient of the loss by its sum, or by what it gives. */
import { scaleOf } from "../../colors";
import type { Seen } from "./state";
import type { Arrays } from "./types";

export function shownOf(arrays: Arrays, layer: string, isBackward: boolean): ArrayLike<number> {
  const block = isBackward ? (arrays[`${layer}.dsums`] ?? arrays[`${layer}.doutput`]) : arrays[`${layer}.output`];
  return block?.values ?? [];
}

/** The size of number that gets the full color, of each layer by itself or of all. The pixels of a picture have a scale of their own. */
export function scales({ look, arrays }: Seen, isBackward: boolean, isCommon: boolean): (layer: string) => number {
  const of = new Map(look.layers.map(({ name }) => [name, scaleOf(shownOf(arrays, name, isBackward))]));
  const all = Math.max(...[...of].filter(([name]) => name !== "input").map(([, scale]) => scale));
  return (layer) => (isCommon && (layer !== "input" || isBackward) ? all : of.get(layer)!);
}
