/** What the address of the page says: the table and how it is read, the model, the row and what was changed in it. */
import { computed } from "@preact/signals";
import { type ModelSummary, session } from "../../session";
import { address, parameter, setParameters } from "../../url";
import { type LiveRun, runs } from "../train/control/live";
import type { Cells } from "./types";

const READING = ["table", "target", "also", "kinds", "drop", "decimal", "date_order", "encoding"] as const;
export const CHOICES = ["ensemble", "loss", "split"] as const; // in place of the rules
export const MIDDLE = "middle"; // in place of the number of a row

export const table = computed(() => parameter("table") || (session.value?.table ?? ""));
export const kinds = computed(() => json<Record<string, string | string[]>>(parameter("kinds"), {}));
export const dropped = computed(() => json<string[]>(parameter("drop"), []));
export const also = computed(() => json<string[]>(parameter("also"), [])); // further columns to predict

/** An address of the server about the table as it is read here. */
export function aboutTable(path: string, more: Record<string, string | number> = {}): string {
  const reading = Object.fromEntries(READING.map((name) => [name, parameter(name) || null]));
  return address(path, { ...reading, table: table.value, ...more });
}

/** Another table: nothing of the one before holds for it. */
export function chooseTable(name: string): void {
  const nothing = Object.fromEntries([...READING, ...CHOICES, "model", "row", "cells", "of", "epochs"].map((one) => [one, null]));
  setParameters({ ...nothing, table: name }, true);
}

/** Predicts another column: what was chosen for the one before may not fit it. */
export function predict(column: string): void {
  setParameters({ target: column || null, also: null, loss: null, split: null }, true);
}

/** Predicts these columns besides the first one. */
export function predictAlso(columns: string[]): void {
  setParameters({ also: columns.length ? JSON.stringify(columns) : null }, true);
}

/** Uses a column as another kind, or leaves it out; "" is as it was found. */
export function useAs(column: string, kind: string | string[]): void {
  const { [column]: _, ...others } = kinds.value;
  const rest = dropped.value.filter((name) => name !== column);
  const next = kind === "" || kind === "drop" ? others : { ...others, [column]: kind };
  const drop = kind === "drop" ? [...rest, column] : rest;
  setParameters({ kinds: written(next), drop: drop.length ? JSON.stringify(drop) : null }, true);
}

/** All models that read rows of a table: those of files, and of runs. */
export const models = computed(() => (session.value?.models ?? []).filter(({ reads }) => reads === "table"));

/** The one that answers: that of the address, else the last that was trained on this table, else the first. */
export const chosen = computed<ModelSummary | null>(() => {
  const asked = models.value.find(({ name }) => name === parameter("model"));
  return asked ?? models.value.findLast((one) => one.table === table.value) ?? (table.value ? null : models.value[0]) ?? null;
});

/** Its run, if it was trained here. */
export const run = computed<LiveRun | null>(() => runs.value.get(chosen.value?.name ?? "") ?? null);

/** The cells that differ from the row that the page began with. */
export const changes = computed(() => json<Cells>(parameter("cells"), {}));

export function changeCell(column: string, cell: Cells[string]): void {
  setParameters({ cells: written({ ...changes.value, [column]: cell }) });
}

/** Which row the page begins with: its number as text, or the middle of the training rows. */
export const row = computed(() => parameter("row") || (table.value ? "1" : MIDDLE));

function written(value: object): string | null {
  return Object.keys(value).length ? JSON.stringify(value) : null;
}

function json<T extends object>(text: string, nothing: T): T {
  try {
    const value = text ? JSON.parse(text) : nothing;
    return typeof value === "object" && value !== null && Array.isArray(value) === Array.isArray(nothing) ? value : nothing;
  } catch {
    return nothing;
  }
}
