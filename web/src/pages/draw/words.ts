import { probability, short } from "../../numbers";
import type { LabelReading, Reading, ValueReading } from "./reading";

export interface Answer {
  headline: string; // "8", "0.4217", or "Not sure"
  share: string; // "97.3%", or nothing
  detail: string;
}

/** The answer in words. The network says "not sure" when the picture shows nothing it knows, or its set of labels says nothing. */
export function inWords(reading: Reading): Answer {
  if (reading.answers === "values") return valuesInWords(reading);
  const best = `${reading.label}, ${probability(reading.probability)}`;
  if (reading.doubt) return { headline: "Not sure", share: "", detail: `${sentence(reading.doubt)} Its best guess: ${best}.` };
  if (reading.is_sure === false) {
    const why = (reading.set_in_words ?? "").replace(/^not sure: /, "");
    return { headline: "Not sure", share: "", detail: `${sentence(why)} Its best guess: ${best}.` };
  }
  const answer = { headline: String(reading.label), share: probability(reading.probability) };
  return { ...answer, detail: reading.set_in_words ? sentence(reading.set_in_words) : "" };
}

function valuesInWords({ values, low, high, doubt }: ValueReading): Answer {
  const all = values.map((value) => short(value)).join(", ");
  if (doubt) return { headline: "Not sure", share: "", detail: `${sentence(doubt)} Its best guess: ${all}.` };
  if (!low || !high) return { headline: all, share: "", detail: "" };
  const between = `between ${short(low[0]!)} and ${short(high[0]!)}`;
  const detail = values.length === 1 ? `The true value lies ${between}, with this confidence.` : "Each true value lies in its interval, with this confidence.";
  return { headline: all, share: "", detail };
}

/** What was done to make the probabilities come true as often as they claim. */
export function calibration(reading: LabelReading): string {
  if (reading.doubt) return "In doubt, most of the probability is spread evenly over all labels.";
  if (reading.temperature === null) return "Not calibrated: these are the network's own probabilities, which may be overconfident.";
  const before = probability(Math.max(...reading.uncalibrated));
  return `Calibrated: the scores are divided by the temperature ${reading.temperature.toFixed(2)}. Without it, the largest would be ${before}.`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
