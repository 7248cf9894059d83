/** A curve: what was measured of a run, over its epochs. */
export interface Curve {
  run: string;
  label: string; // training or validation
  color: string;
  isDashed: boolean;
  x: number[];
  y: (number | null)[];
}

export type Format = (value: number) => string;

function nearest({ x, y }: Curve, at: number): number | null {
  let best = -1;
  for (let i = 0; i < x.length; i++) {
    if (y[i] !== null && (best < 0 || Math.abs(x[i]! - at) <= Math.abs(x[best]! - at))) best = i;
  }
  return best < 0 ? null : best;
}

/** What a curve says at a place along x, or at its end (null). */
export function valueAt(curve: Curve, at: number | null, format: Format): string {
  const i = at === null ? curve.y.findLastIndex((value) => value !== null) : nearest(curve, at);
  return i === null || i < 0 ? "–" : format(curve.y[i]!);
}
