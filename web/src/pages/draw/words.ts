import { probability } from "../../numbers";
import type { Reading } from "./reading";

export interface Answer {
  headline: string; // "8", or "Not sure"
  share: string; // "97.3%", or nothing
  detail: string;
}

/** The answer in words. The network says "not sure" when the picture shows nothing it knows, or its set of labels says nothing. */
export function inWords(reading: Reading): Answer {
  const best = `${reading.label}, ${probability(reading.probability)}`;
  if (reading.doubt) return { headline: "Not sure", share: "", detail: `${sentence(reading.doubt)} Its best guess: ${best}.` };
  if (reading.is_sure === false) {
    const why = (reading.set_in_words ?? "").replace(/^not sure: /, "");
    return { headline: "Not sure", share: "", detail: `${sentence(why)} Its best guess: ${best}.` };
  }
  const answer = { headline: String(reading.label), share: probability(reading.probability) };
  return { ...answer, detail: reading.set_in_words ? sentence(reading.set_in_words) : "" };
}

/** What was done to make the probabilities come true as often as they claim. */
export function calibration(reading: Reading): string {
  if (reading.doubt) return "In doubt, most of the probability is spread evenly over all labels.";
  if (reading.temperature === null) return "Not calibrated: these are the network's own probabilities, which may be overconfident.";
  const before = probability(Math.max(...reading.uncalibrated));
  return `Calibrated: the scores are divided by the temperature ${reading.temperature.toFixed(2)}. Without it, the largest would be ${before}.`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
