/** The runs of the studio as they are now. Events are collected and shown once a frame, whatever their number. */
import { batch, computed, type Signal, signal } from "@preact/signals";
import { ApiError, get, listen, post, remove } from "../../../api";
import type { Experiment, Figures, Look, RunSummary, StateEvent } from "../types";

/** One run, each part a signal of its own, so that only what has changed is drawn. */
export class LiveRun {
  readonly summary: Signal<RunSummary>;
  readonly now: Signal<StateEvent>;
  readonly history: Signal<Figures[]>;
  readonly checkpoints: Signal<number[]>; // the steps that it can go back to
  readonly look = signal<Look | null>(null);
  stoodStillAt = -Infinity; // when it told last that it stands still
  readonly past = computed(() => before(this.history.value, this.now.value.step + 1)); // after a rewind there may be more

  constructor(
    readonly name: string,
    summary: RunSummary,
  ) {
    this.summary = signal(summary);
    this.now = signal<StateEvent>(summary);
    this.history = signal(summary.history);
    this.checkpoints = signal(summary.kept);
  }

  /**
   * Takes over the answer to a question of the time `asked`. If the run has told since then that it stands still, an answer
   * that it trains is old, and would stay: a run that trains tells its state again and again, one that stands still does not.
   */
  update(summary: RunSummary, asked: number): void {
    if (summary.state === "running" && this.stoodStillAt > asked) return void loadRuns();
    batch(() => {
      this.summary.value = summary;
      this.now.value = summary;
      this.history.value = summary.history;
      this.checkpoints.value = summary.kept;
    });
  }
}

const MOST_FIGURES = 2_000; // of a run: then those of the studio are fetched, which keeps fewer old ones

export const runs = signal<ReadonlyMap<string, LiveRun>>(new Map());
export const isLoaded = signal(false);
export const trouble = signal<string | null>(null); // why the last action did not work

let loading: Promise<unknown> | null = null;
let isStale = false;

/** Asks how all runs are; while an answer is on its way, once more after it. */
export async function loadRuns(): Promise<void> {
  isStale = true;
  if (loading) return;
  while (isStale) {
    isStale = false;
    loading = load();
    await loading;
  }
  loading = null;
}

function load(): Promise<unknown> {
  return attempt(async () => {
    const asked = performance.now();
    const { runs: summaries } = await get<{ runs: RunSummary[] }>("/api/runs");
    batch(() => {
      runs.value = new Map(summaries.map((summary) => [summary.name, refreshed(summary, asked)]));
      isLoaded.value = true;
    });
  });
}

function refreshed(summary: RunSummary, asked: number): LiveRun {
  const run = runs.peek().get(summary.name);
  run?.update(summary, asked);
  return run ?? new LiveRun(summary.name, summary);
}

/** Does it; a failure is said on the page and gives undefined. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await action();
    trouble.value = null;
    return result;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    trouble.value = error.message;
    return undefined;
  }
}

/** A new run; a temporary one is not saved when the studio stops. */
export function make(experiment: Experiment, temporary = false): Promise<LiveRun | undefined> {
  return answered("/api/runs", { experiment, start: false, temporary });
}

export function fork(run: string, changes: Partial<Experiment>, step?: number): Promise<LiveRun | undefined> {
  return answered(`/api/runs/${run}/fork`, { changes, ...(step === undefined ? {} : { step }) });
}

export function act(run: string, action: "resume" | "pause" | "step" | "epoch"): Promise<LiveRun | undefined> {
  return answered(`/api/runs/${run}/${action}`, {});
}

export function rewind(run: string, step: number): Promise<LiveRun | undefined> {
  return answered(`/api/runs/${run}/rewind`, { step });
}

export function setRate(run: string, learning_rate: number): Promise<LiveRun | undefined> {
  return answered(`/api/runs/${run}/rate`, { learning_rate });
}

/** null: as fast as it can. */
export function setStepsPerSecond(run: string, steps_per_second: number | null): Promise<LiveRun | undefined> {
  return answered(`/api/runs/${run}/pace`, { steps_per_second });
}

export async function discard(run: string): Promise<void> {
  await attempt(() => remove(`/api/runs/${run}`));
  await loadRuns();
}

async function answered(path: string, body: unknown): Promise<LiveRun | undefined> {
  return attempt(async () => {
    const asked = performance.now();
    const { run: summary } = await post<{ run: RunSummary }>(path, body);
    const run = refreshed(summary, asked);
    runs.value = new Map(runs.peek()).set(run.name, run);
    return run;
  });
}

type Waiting = Map<LiveRun, [name: string, data: any][]>;
let waiting: Waiting = new Map();

/** Follows a run until the returned function is called. */
export function follow(run: LiveRun): () => void {
  let isNew = true;
  const each = (name: string, data: any) => {
    if (isNew) void loadRuns(); // what happened until the listening began
    isNew = false;
    if (waiting.size === 0) requestAnimationFrame(show);
    const events = (waiting.get(run) ?? []).filter(([other]) => name !== "look" || other !== "look");
    waiting.set(run, [...events, [name, data]]);
  };
  return listen(`/api/runs/${run.name}/events`, ["state", "figures", "look", "kept"], each, () => (isNew = true));
}

function show(): void {
  const events = waiting;
  waiting = new Map();
  batch(() => {
    for (const [run, news] of events) {
      for (const [name, data] of news) apply(run, name, data);
    }
  });
}

function apply(run: LiveRun, name: string, data: any): void {
  if (name === "state") {
    if (run.now.peek().state === "running" && data.state !== "running") void loadRuns(); // all figures, and the others' turn
    if (data.state !== "running") run.stoodStillAt = performance.now();
    run.now.value = data;
  }
  if (name === "look") run.look.value = data;
  if (name === "kept") run.checkpoints.value = data.kept;
  if (name === "figures") {
    run.history.value = [...before(run.history.peek(), data.step), data];
    if (run.history.value.length > MOST_FIGURES) void loadRuns();
  }
}

/** The figures before a step: after a rewind, those that come take the place of those that were. */
function before(history: Figures[], step: number): Figures[] {
  let end = history.length;
  while (end > 0 && history[end - 1]!.step >= step) end--;
  return end === history.length ? history : history.slice(0, end);
}

/** How many epochs a run has behind it, with the part of the present one. */
export const epochOf = (run: LiveRun) => run.now.value.step / run.summary.value.steps_per_epoch;

/** The newest figures in which `field` was measured. */
export function latest(history: readonly Figures[], ...fields: (keyof Figures)[]): Figures | undefined {
  return history.findLast((figures) => fields.every((field) => figures[field] !== null && figures[field] !== undefined));
}
