/** Points of the plane: generated ones from the server, and drawn ones as text of an address, "a-25.130" for class a at (-0.25, 1.3). */
import { get, unpack } from "../../../api";
import { address } from "../../../url";
import type { Experiment, Point, PointSet } from "../types";

export const MOST_DRAWN = 600; // what an address holds that programs still pass on whole
const LETTERS = "abcd";

/** Points with what they are for. */
export interface Marked {
  training: Point[];
  validation: Point[];
  extent: number; // the plane shown is [-extent, extent] in both directions
}

export function pointsToText(points: readonly Point[]): string {
  return points.map(([x1, x2, label]) => `${LETTERS[label]}${Math.round(100 * x1)}.${Math.round(100 * x2)}`).join("");
}

export function pointsFromText(text: string): Point[] {
  const found = text.matchAll(/([a-d])(-?\d{1,4})\.(-?\d{1,4})/g);
  return [...found]
    .slice(0, MOST_DRAWN)
    .map(([, letter, x1, x2]) => [Number(x1) / 100, Number(x2) / 100, LETTERS.indexOf(letter!)]);
}

export function fetchPoints(of: Experiment, signal: AbortSignal): Promise<Marked> {
  const { data, samples, noise, data_seed: seed, validation } = of;
  return fetchMarked(address("/api/points", { data, samples, noise, seed, validation }), signal);
}

/** The points of a run, as it divides them. */
export function fetchPointsOf(run: string, signal: AbortSignal): Promise<Marked> {
  return fetchMarked(`/api/runs/${run}/points`, signal);
}

async function fetchMarked(from: string, signal: AbortSignal): Promise<Marked> {
  const set = await get<PointSet>(from, signal);
  return {
    training: pointsOf(set.x, set.y),
    validation: pointsOf(set.x_validation, set.y_validation),
    extent: set.extent[1],
  };
}

function pointsOf(x: PointSet["x"], y: number[]): Point[] {
  const { values } = unpack(x);
  return y.map((label, i) => [values[2 * i]!, values[2 * i + 1]!, label]);
}
