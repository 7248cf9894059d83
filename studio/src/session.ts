/** What the server has: models to read pictures with, data to learn from. */
import { computed, signal } from "@preact/signals";
import { ApiError, get } from "./api";
import { parameter } from "./url";

export interface ModelSummary {
  name: string; // in addresses: "digits", "run-2"
  title: string;
  reads: "digits" | "photos" | "points" | "values"; // what its input is
  labels: (string | number)[];
  input_shape: number[];
  layers: string[]; // Dense(128, "relu") ...
  parameters: number;
  is_calibrated: boolean;
  has_confidence: boolean;
  accuracy: number | null; // on the validation part, where it is known
}

export interface DataSummary {
  name: string; // "digits", "spirals", "folder" ...
  title: string;
  kind: "images" | "points";
  labels: (string | number)[];
  samples: number;
}

export interface Session {
  version: string;
  models: ModelSummary[];
  data: DataSummary[];
}

export const session = signal<Session | null>(null);
export const failure = signal<string | null>(null);

/** Fetches what there is; pages call it again when they have made something new, such as a run. */
export async function openSession(): Promise<void> {
  try {
    session.value = await get<Session>("/api/session");
    failure.value = null;
  } catch (error) {
    failure.value = error instanceof ApiError ? error.message : String(error);
  }
}

/** The model of the page: `?model=` in the address, else the first. */
export const model = computed<ModelSummary | null>(() => {
  const models = session.value?.models ?? [];
  return models.find((one) => one.name === parameter("model")) ?? models[0] ?? null;
});
