/** What the server has: the models that read. */
import { computed, effect, signal } from "@preact/signals";
import { get, silence } from "./api";
import { parameter } from "./url";

export interface ModelSummary {
  name: string; // in addresses: "digits", "run-2"
  title: string;
  reads: "digits" | "photos" | "images" | "points" | "table" | "values"; // what its input is; no pipeline prepares images
  answers: "labels" | "values"; // a classification, or a regression
  labels: (string | number)[];
  input_shape: number[];
  layers: string[]; // Dense(128, "relu") ...
  parameters: number;
  is_calibrated: boolean;
  has_confidence: boolean;
  measured: string | null; // how good it is on validation samples, in words, where that is known
  table?: string; // of a run that learned from a table, its name in the studio
}

interface Session {
  version: string;
  models: ModelSummary[];
  table: string | null; // the table that the studio was opened with
}

export const session = signal<Session | null>(null);
const refusal = signal<string | null>(null);

/** What stands in the way of the whole studio, as a sentence; or null. */
export const failure = computed(() => silence.value ?? refusal.value);

/** Fetches what there is; pages call it again when they have made something new, such as a run. */
export async function openSession(): Promise<void> {
  try {
    session.value = await get<Session>("/api/session");
    refusal.value = null;
  } catch (error) {
    refusal.value = silence.value === null ? said(error) : null;
  }
}

/** Takes a network away that is being deleted: from now on no page asks it anything. */
export function forgetModel(name: string): void {
  const now = session.peek();
  if (now) session.value = { ...now, models: now.models.filter((one) => one.name !== name) };
}

/** An error as a sentence. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const PATIENCE = 2000; // milliseconds between two questions whether it answers again

/** While the server is silent, asks whether it is back; then the page begins anew from its address, where its state is. */
export function awaitReturn(): void {
  effect(() => {
    if (silence.value === null) return;
    const timer = setInterval(() => get("/api/session").then(() => location.reload(), () => undefined), PATIENCE);
    return () => clearInterval(timer);
  });
}

/** The model of the page: `?model=` in the address, else the first. */
export const model = computed<ModelSummary | null>(() => {
  const models = session.value?.models ?? [];
  return models.find((one) => one.name === parameter("model")) ?? models[0] ?? null;
});
