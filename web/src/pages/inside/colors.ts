/** The colors of many numbers at once: a table instead of a sum for each. */
import { diverging } from "../../colors";

const STEPS = 256; // on each side of 0
const tables = new Map<boolean, Uint8ClampedArray>();

function tableOf(dark: boolean): Uint8ClampedArray {
  let table = tables.get(dark);
  if (!table) {
    table = new Uint8ClampedArray(3 * (2 * STEPS + 1));
    for (let i = -STEPS; i <= STEPS; i++) table.set(diverging(i / STEPS, dark), 3 * (i + STEPS));
    tables.set(dark, table);
  }
  return table;
}

/** Writes the color of `value / scale` as pixel `at` of an image. */
export function painter(pixels: Uint8ClampedArray, scale: number, dark: boolean): (at: number, value: number) => void {
  const table = tableOf(dark);
  return (at, value) => {
    const t = Math.max(-1, Math.min(1, value / scale)) || 0;
    const from = 3 * (Math.round(t * STEPS) + STEPS);
    pixels[4 * at] = table[from]!;
    pixels[4 * at + 1] = table[from + 1]!;
    pixels[4 * at + 2] = table[from + 2]!;
    pixels[4 * at + 3] = 255;
  };
}
