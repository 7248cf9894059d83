/** Learning from the table: start, stop, how far it is, and the curves. */
import { useEffect, useState } from "preact/hooks";
import { post } from "../../api";
import { count, percent, readable } from "../../numbers";
import { openSession } from "../../session";
import { parameter, setParameters } from "../../url";
import { act, attempt, epochOf, follow, latest, loadRuns, type LiveRun } from "../train/control/live";
import { Delete } from "../train/control/delete";
import { Curves } from "../train/watch/curves";
import { Herald } from "../train/watch/herald";
import type { RunSummary } from "../train/types";
import { choices } from "./choices";
import { aboutTable } from "./state";

/** Starts a run on the table as the page reads it. */
export function Start({ isReady, hint }: { isReady: boolean; hint: string }) {
  const [isBusy, setBusy] = useState(false);
  const epochs = parameter("epochs");
  const start = async () => {
    setBusy(true);
    await attempt(async () => {
      const body = { ...(epochs ? { epochs: Number(epochs) } : {}), ...choices() };
      const { run } = await post<{ run: RunSummary }>(aboutTable("/api/table/train"), body);
      setParameters({ model: run.name, cells: null, of: null }, true);
      await Promise.all([loadRuns(), openSession()]);
    });
    setBusy(false);
  };
  return (
    <div class="row start">
      <label class="row">
        <span>Epochs</span>
        <input
          type="number" min={1} max={1000} step={1} placeholder="by rule" value={epochs}
          onInput={(event) => setParameters({ epochs: event.currentTarget.value || null })}
        />
      </label>
      <button type="button" class="first" disabled={!isReady || isBusy} onClick={() => void start()}>{isBusy ? "Preparing ..." : "Train"}</button>
      {isReady ? null : <small>{hint}</small>}
    </div>
  );
}

/** One run: while it learns, and afterwards. */
export function Learning({ run }: { run: LiveRun }) {
  const now = run.now.value;
  const summary = run.summary.value;
  const isRunning = now.state === "running";
  useEffect(() => follow(run), [run]);
  useEffect(() => void openSession(), [run, isRunning]); // what it can answer with depends on that
  const all = summary.experiment.epochs;
  const epoch = epochOf(run);
  const planned = all * Math.max(1, Math.ceil(epoch / all - 1e-9));
  const of = summary.table!;
  return (
    <>
      <div class="row go">
        <button type="button" class={isRunning ? "first" : ""} disabled={now.state === "diverged" || now.state === "failed"} onClick={() => act(run.name, isRunning ? "pause" : "resume")}>
          {isRunning ? "Stop" : now.state === "finished" ? "Train more" : "Go on"}
        </button>
        <label class="progress">
          <span>{run.name} {now.state}: epoch {epoch.toFixed(1)} of {planned}</span>
          <progress max={planned} value={epoch} />
        </label>
        <Delete run={run} isGone={() => setParameters({ model: null, cells: null, of: null })}>Delete</Delete>
      </div>
      <Readings run={run} />
      <Herald run={run} />
      <div class="train curves-of-table"><Curves runs={[run]} /></div>
      <details class="chosen">
        <summary>What the rules chose</summary>
        <p class="hint">It predicts {of.target} of {of.name}, learns from {count.format(of.rows)} rows, and is judged on {count.format(of.held_out)} that were held out. All of it is what <code>pellucid train</code> does.</p>
        <pre class="scroll" tabIndex={0}>{of.chosen}</pre>
      </details>
    </>
  );
}

function Readings({ run }: { run: LiveRun }) {
  const figures = latest(run.past.value, "loss");
  const tested = latest(run.past.value, "validation_loss");
  const { rows, held_out } = run.summary.value.table!;
  const score = (share: number | null | undefined, error: number | null | undefined) =>
    typeof share === "number" ? `${percent(share)} right` : typeof error === "number" ? `${readable(error)} off` : "–";
  const readings: [string, string][] = [
    [`${count.format(rows)} training rows`, score(figures?.accuracy, figures?.mae)],
    [`${count.format(held_out)} held-out rows`, score(tested?.validation_accuracy, tested?.validation_mae)],
    ["Parameters", count.format(run.summary.value.parameters)],
  ];
  return (
    <dl class="readings numbers">
      {readings.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
