/** The experiment of the page: what the address says, over the defaults of its data. An address is an experiment. */
import { computed, signal } from "@preact/signals";
import { get } from "../../../api";
import { parameter, setParameters } from "../../../url";
import { trouble } from "../control/live";
import { pointsFromText, pointsToText } from "./points";
import type { DataName, Experiment } from "../types";

type Field = keyof Experiment;
type Value = Experiment[Field];

export const defaults = signal<Partial<Record<string, Experiment>> | null>(null);

export async function openDefaults(): Promise<void> {
  defaults.value ??= (await get<{ defaults: Record<string, Experiment> }>("/api/defaults")).defaults;
}

const DATA_FIELDS: ReadonlySet<Field> = new Set(["data", "samples", "noise", "data_seed", "points", "validation"]);

/** The experiment that the address describes; null until the defaults are there. */
export const experiment = computed<Experiment | null>(() => {
  const known = defaults.value;
  if (!known) return null;
  const base = baseOf(parameter("data", "spirals"), known);
  const read = Object.entries(base).map(([field, value]) => [field, fromText(parameter(field), field as Field, value)]);
  const { points: _, ...settings } = Object.fromEntries(read) as unknown as Experiment;
  return base.data === "drawn" ? { ...settings, points: pointsFromText(parameter("points")) } : settings;
});

function baseOf(data: string, known: Partial<Record<string, Experiment>>): Experiment {
  return known[data] ?? known.spirals ?? Object.values(known)[0]!;
}

/** Changes the experiment of the page. Other data are another problem: then the run that is shown is let go. */
export function change(changes: Partial<Experiment>, visit = false): void {
  trouble.value = null; // it was about the experiment as it was
  const next = { ...experiment.value!, ...changes };
  const lets = Object.keys(changes).some((field) => DATA_FIELDS.has(field as Field));
  setParameters({ ...toParameters(next), ...(lets ? { run: null, beside: null } : {}) }, visit);
}

/** The parameters of an address that describe an experiment: those that are not the defaults of its data. */
export function toParameters(wanted: Experiment): Record<string, string | null> {
  const base = baseOf(wanted.data, defaults.value!);
  const pairs = Object.keys(base).map((field) => {
    const text = toText(wanted[field as Field], field as Field);
    const isPlain = text === toText(base[field as Field], field as Field) || !matters(field as Field, wanted);
    return [field, isPlain ? null : text] as const;
  });
  const points = wanted.data === "drawn" ? toText(wanted.points, "points") : parameter("points"); // they wait for their turn
  return { ...Object.fromEntries(pairs), data: wanted.data, points: points || null };
}

function fromText(text: string, field: Field, fallback: Value): Value {
  if (text === "") return fallback;
  if (field === "hidden")
    return text === "none"
      ? []
      : text
          .split(",")
          .map(Number)
          .filter((units) => units >= 1);
  if (field === "layers") return text === "none" ? null : text;
  if (typeof fallback === "boolean") return text === "yes";
  if (typeof fallback === "number") return Number.isFinite(Number(text)) ? Number(text) : fallback;
  return text;
}

function toText(value: Value, field: Field): string {
  if (field === "points") return pointsToText((value ?? []) as Experiment["points"] & {});
  if (Array.isArray(value)) return value.join(",") || "none";
  if (value === null || value === undefined) return "none";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

const GENERATED: ReadonlySet<DataName> = new Set(["circles", "moons", "spirals", "blobs", "xor"]);
export const isGenerated = (data: DataName) => GENERATED.has(data);
export const kindOf = (data: DataName) => (data === "drawn" || isGenerated(data) ? "points" : "images");

/** Whether a setting has a meaning for this experiment. */
export function matters(field: Field, of: Experiment): boolean {
  if (field === "samples") return of.data === "digits" || isGenerated(of.data);
  if (field === "noise") return isGenerated(of.data);
  if (field === "patience") return of.validation > 0;
  if (field === "points") return of.data === "drawn";
  if (field === "augment" || field === "layers") return kindOf(of.data) === "images";
  if (field === "hidden" || field === "activation" || field === "dropout" || field === "batch_norm") return of.layers === null;
  return true;
}

export interface Difference {
  field: Field;
  before: string;
  after: string;
}

export function hasSameData(one: Experiment, other: Experiment): boolean {
  return differences(one, other).every(({ field }) => !DATA_FIELDS.has(field));
}

/** The settings in which two experiments differ, in words. */
export function differences(before: Experiment, after: Experiment): Difference[] {
  return (Object.keys(after) as Field[])
    .filter((field) => matters(field, before) || matters(field, after))
    .filter(
      (field) =>
        matters(field, before) !== matters(field, after) || toText(before[field], field) !== toText(after[field], field),
    )
    .map((field) => ({ field, before: words(before, field), after: words(after, field) }));
}

export function words(of: Experiment, field: Field): string {
  if (!matters(field, of)) return "–";
  if (field === "points") return `${of.points?.length ?? 0} drawn`;
  const text = toText(of[field], field);
  if (field === "patience" && of.patience === 0) return "off";
  return field === "hidden" && text !== "none" ? text.replaceAll(",", "–") : text;
}
