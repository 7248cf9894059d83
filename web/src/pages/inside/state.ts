/** What is looked at: it stands in the address, so that a link shows the same numbers. */
import { computed, signal } from "@preact/signals";
import { ApiError, getFrame } from "../../api";
import { model } from "../../session";
import { numberParameter, parameter, setParameters } from "../../url";
import { useAnswer } from "../../use-get";
import { type Arrays, type Index, type LayerView, type Look, unitAndPlace } from "./types";

export const MOST_PATHS = 8;

export const isBackward = computed(() => parameter("view") === "backward");
export const optimizer = computed(() => parameter("optimizer", "gradient_descent"));
export const rate = computed(() => parameter("learning_rate", "0.01"));
export const paths = computed(() => Math.min(MOST_PATHS, Math.max(0, Math.round(numberParameter("paths", 3)))));
export const chosenWeight = computed(() => parameter("weight")); // of the chosen neuron: its number, or "bias"
export const isCommonScale = computed(() => parameter("scale") === "common");

/** Goes up when the network has learned on and is to be looked at again. */
export const again = signal(0);

export interface Seen {
  look: Look;
  arrays: Arrays;
  layers: Map<string, LayerView>;
}
export const seen = signal<Seen | null>(null);

/** The target of the way back: of the address, else the truth, else the answer. */
export function targetOf(look: Look | undefined): string {
  const asked = parameter("target");
  if (asked !== "" || !look) return asked;
  if (look.answer.kind === "identity") return look.answer.rows.map((row) => row.score.toPrecision(3)).join(",");
  return String(look.truth ?? look.answer.best);
}

/** The part of the address that the server is asked with. */
export function question(target: string): URLSearchParams {
  const query = new URLSearchParams({ model: model.value?.name ?? "", sample: parameter("sample") });
  if (isBackward.value && target !== "") {
    query.set("target", target);
    query.set("optimizer", optimizer.value);
    query.set("learning_rate", rate.value);
  }
  return query;
}

/** The same about one thing in the look that is drawn. */
export function askAbout(what: string, { look }: Seen, more: Record<string, string | number>): string {
  const query = question(look.loss ? targetOf(look) : "");
  query.set("sample", look.sample);
  query.set("version", look.version);
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return `/api/inside/${what}?${query}`;
}

export function select(layer: string, index: Index | null): void {
  setParameters({ layer, neuron: null, place: null, weight: null, ...(index ? unitAndPlace(index) : {}) }, true);
}

/** A weight of the chosen neuron, by its number, or another parameter, by its name. */
export function selectWeight(weight: number | string): void {
  setParameters({ weight }, true);
}

export interface Selection {
  layer: LayerView;
  index: Index | null;
}

/** What the address chooses in this look; what is not there in it is not chosen. */
export function selectionIn(look: Seen): Selection | null {
  const layer = look.layers.get(parameter("layer"));
  if (!layer) return null;
  const unit = numberParameter("neuron", -1);
  const place = parameter("place", "0,0").split(",").map(Number);
  const index = layer.shape.length === 1 ? [unit] : layer.shape.length === 2 ? place : [...place, unit];
  const isThere = unit >= 0 && index.length === layer.shape.length && index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < layer.shape[axis]!);
  return { layer, index: isThere ? index : null };
}

/** A frame about the look that is drawn. If the network has learned on, this one never comes: the next look asks anew. */
export function useFrame<T>(path: string | null) {
  return useAnswer(path, (path, signal) => getFrame<T>(path, signal).catch(lookAgain));
}

/** If the network has learned on, the answer never comes: the next look asks anew. */
export function lookAgain(error: unknown): Promise<never> {
  if (!(error instanceof ApiError && error.status === 409)) throw error;
  again.value++;
  return new Promise(() => undefined);
}
