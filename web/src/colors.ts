/**
 * Colors of numbers: blue for negative, orange for positive, through a neutral that is the paper, so that nothing is louder
 * than something. The pair is told apart with every kind of color vision; lightness says how much.
 */
export type Rgb = readonly [number, number, number];

const LIGHT = { negative: [5, 88, 160], middle: [246, 246, 243], positive: [196, 84, 0] } as const;
const DARK = { negative: [96, 178, 245], middle: [36, 41, 46], positive: [255, 158, 66] } as const;

/** The color of a number between -1 and 1. */
export function diverging(t: number, dark: boolean): Rgb {
  const { negative, middle, positive } = dark ? DARK : LIGHT;
  const end = t < 0 ? negative : positive;
  const share = Math.sqrt(Math.min(1, Math.abs(t))); // small numbers are told from none
  return mix(middle, end, Number.isFinite(share) ? share : 0);
}

/** The color of a number between 0 and 1: ink on paper. */
export function ink(t: number, dark: boolean): Rgb {
  return dark ? mix([20, 23, 26], [231, 234, 236], t) : mix([255, 255, 255], [28, 33, 38], t);
}

export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * share)) as unknown as Rgb;
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}

/** Classes: told apart by color vision of every kind (after Okabe and Ito), and always with a label or a shape beside. */
export const CLASS_COLORS: readonly Rgb[] = [
  [0, 114, 178], [213, 94, 0], [0, 140, 105], [190, 95, 150], [150, 120, 0], [70, 150, 200], [120, 120, 120], [170, 50, 50],
];

/** The largest absolute value, at least a hair above 0: what a picture of numbers is scaled by. */
export function scaleOf(values: ArrayLike<number>): number {
  let most = 1e-12;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most && Number.isFinite(size)) most = size;
  }
  return most;
}
