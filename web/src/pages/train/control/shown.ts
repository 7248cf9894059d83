/** Which run the page shows, and which runs lie beside it: parameters of the address. */
import { computed } from "@preact/signals";
import { openSession } from "../../../session";
import { parameter, setParameters } from "../../../url";
import { experiment, hasSameData, toParameters } from "../form/experiment";
import { act, type LiveRun, make, runs } from "./live";
import { play } from "./pace";
import type { Experiment } from "../types";

const MOST_BESIDE = 5;

/** The run of the page, if this studio has it: a link may come from another one, whose runs had other data. */
export const shown = computed<LiveRun | null>(() => {
  const run = runs.value.get(parameter("run"));
  return run && experiment.value && hasSameData(run.summary.value.experiment, experiment.value) ? run : null;
});

/** All runs but those that learn from a table: these are watched on the page Table. */
export const ofThisPage = computed<LiveRun[]>(() => [...runs.value.values()].filter((run) => run.summary.value.kind !== "rows"));

/** The runs whose curves lie over those of the run of the page. */
export const beside = computed<LiveRun[]>(() => {
  const names = parameter("beside")
    .split(",")
    .filter((name) => name !== parameter("run"));
  return names.flatMap((name) => runs.value.get(name) ?? []).slice(0, MOST_BESIDE);
});

/** Shows a run, and its settings in the form. */
export function show(run: LiveRun, others: string[] = beside.value.map(({ name }) => name)): void {
  const names = [...new Set(others)].filter((name) => name && name !== run.name).slice(0, MOST_BESIDE);
  const place = { run: run.name, beside: names.join(",") || null };
  setParameters({ ...toParameters(run.summary.value.experiment), ...place }, true);
}

export function setBeside(names: string[]): void {
  setParameters({ beside: names.slice(0, MOST_BESIDE).join(",") || null });
}

/** A new run of this experiment, shown and training; `over` is the run that it is compared with. */
export async function start(wanted: Experiment, over?: LiveRun, how: "resume" | "step" | "epoch" = "resume"): Promise<void> {
  const made = await make(wanted);
  if (!made) return;
  show(made, over ? [over.name, ...beside.value.map(({ name }) => name)] : []);
  void openSession(); // the run is a model that the other pages can choose
  if (how === "resume") await play(made);
  else await act(made.name, how);
}
