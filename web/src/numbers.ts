/** Numbers as people read them. Digits are those of Python's `:.4g`, so that a number here is found again there. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "infinity" : "-infinity";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toExponential(digits - 1)))));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
    const sign = power[0] === "-" ? "-" : "+";
    return `${trim(mantissa)}e${sign}${power.slice(1).padStart(2, "0")}`;
  }
  return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

/** A number as people write it, without a power of ten where that is not needed: 331,400. */
export function readable(value: number, digits = 4): string {
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1e4 && Math.abs(rounded) < 1e12 ? count.format(rounded) : short(value, digits);
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** As many digits as numbers need so that what is computed with them, as they are shown, is the value that is shown. */
export function digitsFor(value: number, compute: (n: (number: number) => number) => number): number {
  let digits = 4;
  while (digits < 17 && short(compute((number) => Number(short(number, digits)))) !== short(value)) digits++;
  return digits;
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** A probability: it is 100% only where it is 1. */
export function probability(p: number): string {
  const text = percent(p);
  return text === "100.0%" && p < 1 ? ">99.9%" : text;
}

export const count = new Intl.NumberFormat("en");
