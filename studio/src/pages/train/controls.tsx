/** The bar over a run: go, pause, one step, one epoch, the rate while it runs, and the way back. */
import { useEffect, useRef, useState } from "preact/hooks";
import { count, percent, short } from "../../numbers";
import { Notice } from "../../parts/notice";
import { LogSlider } from "./control";
import { experiment } from "./experiment";
import { act, epochOf, latest, type LiveRun, rewind, setRate, trouble } from "./live";
import { choosePace, type Pace, pace, PACES, play } from "./pace";
import { start } from "./shown";
import type { Figures, State } from "./types";

export function Controls({ run }: { run: LiveRun | null }) {
  const state = run?.now.value.state;
  const go = () => (!run ? start(experiment.value!) : state === "running" ? act(run.name, "pause") : play(run));
  const once = (how: "step" | "epoch") => (run ? act(run.name, how) : start(experiment.value!, undefined, how));
  const isStuck = state === "diverged" || state === "failed";
  return (
    <section class="panel controls" aria-label="Training">
      <div class="row">
        <button type="button" class="first go" disabled={isStuck} onClick={go}>{GO[state ?? "none"]}</button>
        <button type="button" disabled={isStuck || state === "running"} onClick={() => once("step")}>One step</button>
        <button type="button" disabled={isStuck || state === "running"} onClick={() => once("epoch")}>One epoch</button>
        <label class="pace">Pace <select value={pace()} onChange={(event) => choosePace(event.currentTarget.value as Pace, run)}>
          {Object.entries(PACES).map(([name, title]) => <option key={name} value={name}>{title}</option>)}
        </select></label>
        <span class="state">{run ? <><b>{run.name}</b> {state}</> : "nothing runs yet"}</span>
      </div>
      <Readings run={run} />
      <div class="sliders">
        <Rate run={run} />
        <Rewind run={run} />
      </div>
      <Message run={run} />
      {run ? <Herald run={run} /> : null}
    </section>
  );
}

const GO: Record<State | "none", string> = {
  none: "Start", paused: "Go on", running: "Pause", finished: "Train on", diverged: "Go on", failed: "Go on",
};

function Readings({ run }: { run: LiveRun | null }) {
  const now = run?.now.value;
  const figures = run ? latest(run.history.value, "loss") : undefined;
  const tested = run ? latest(run.history.value, "validation_accuracy") : undefined;
  const epochs = run?.summary.value.experiment.epochs ?? 1;
  const epoch = run ? epochOf(run) : 0;
  const readings: [string, string][] = [
    ["Epoch", now ? `${epoch.toFixed(epoch < 10 ? 2 : 1)} of ${epochs * Math.max(1, Math.ceil(epoch / epochs))}` : "–"],
    ["Step", now ? count.format(now.step) : "–"],
    ["Steps a second", now?.steps_per_second ? count.format(Math.round(now.steps_per_second)) : "–"],
    ["Training loss", figures ? short(figures.loss!, 3) : "–"],
    ["Validation", tested ? percent(tested.validation_accuracy!) : "–"],
    ["Parameters", run ? count.format(run.summary.value.parameters) : "–"],
  ];
  return (
    <dl class="readings numbers">
      {readings.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

function Rate({ run }: { run: LiveRun | null }) {
  const [wanted, setWanted] = useState<number | null>(null);
  const next = useRef<number | null>(null); // while a rate is on its way, only the newest one waits
  const now = run?.now.value.learning_rate ?? experiment.value!.learning_rate;
  const send = async (rate: number) => {
    setWanted(rate);
    const isFree = next.current === null;
    next.current = rate;
    for (let sent: number | null = null; isFree && run && next.current !== sent; ) {
      sent = next.current;
      await setRate(run.name, sent);
    }
    if (!isFree) return;
    next.current = null;
    setWanted(null);
  };
  return (
    <div class={run ? "setting" : "setting off"}>
      <label for="rate">Learning rate now</label>
      <div class="control">
        <LogSlider id="rate" title="Learning rate now" value={Number((wanted ?? now).toPrecision(3))} low={-5} high={1} isDisabled={!run} set={send} />
      </div>
    </div>
  );
}

function Rewind({ run }: { run: LiveRun | null }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const kept = run?.kept.value ?? [];
  const step = run?.now.value.step ?? 0;
  const present = kept.findLastIndex((one) => one <= step);
  const at = chosen ?? present;
  const per = run?.summary.value.steps_per_epoch ?? 1;
  const inWords = kept[at] === undefined ? "–" : `step ${count.format(kept[at])}, epoch ${(kept[at] / per).toFixed(1)}`;
  const back = async () => {
    if (run && chosen !== null && kept[chosen] !== undefined) await rewind(run.name, kept[chosen]);
    setChosen(null);
  };
  return (
    <div class={run ? "setting" : "setting off"}>
      <label for="rewind">Rewind to</label>
      <div class="control">
        <input
          id="rewind"
          type="range"
          min={0}
          max={Math.max(1, kept.length - 1)}
          value={Math.max(0, at)}
          disabled={kept.length < 2}
          aria-valuetext={inWords}
          onInput={(event) => setChosen(Math.min(kept.length - 1, Number(event.currentTarget.value)))}
          onChange={back}
        />
        <output for="rewind" class="numbers">{inWords}</output>
      </div>
    </div>
  );
}

/** What the engine says: for a run that diverged, with the way out. */
function Message({ run }: { run: LiveRun | null }) {
  if (trouble.value) return <Notice kind="error">{trouble.value}</Notice>;
  if (!run) return null;
  const { state, message, learning_rate: rate } = run.now.value;
  if (!message) return null;
  if (state !== "diverged") return <Notice kind={state === "failed" ? "error" : "note"}>{message}</Notice>;
  const back = run.kept.value.findLast((step) => step < run.now.value.step) ?? 0;
  const lower = Number((rate / 10).toPrecision(2));
  const mend = async () => {
    if ((await rewind(run.name, back)) && (await setRate(run.name, lower))) await play(run);
  };
  return (
    <>
      <Notice kind="error">{message}</Notice>
      <button type="button" class="first" onClick={mend}>Rewind to step {count.format(back)} and go on with a rate of {short(lower, 2)}</button>
    </>
  );
}

const SECONDS_BETWEEN = 5;

/** Says for those who listen how it goes: after an epoch, but not more often than every few seconds. */
function Herald({ run }: { run: LiveRun }) {
  const [said, setSaid] = useState({ text: "", at: 0, epoch: -1 });
  const figures = latest(run.history.value, "validation_loss") ?? latest(run.history.value, "loss");
  const state = run.now.value.state;
  const epoch = Math.floor(figures?.epoch ?? 0);
  useEffect(() => {
    const now = performance.now();
    if (!figures || epoch === said.epoch || (state === "running" && now - said.at < 1000 * SECONDS_BETWEEN)) return;
    setSaid({ text: summaryOf(figures, epoch), at: now, epoch });
  }, [epoch, state]);
  return <p class="unseen" role="status">{`${run.name} ${state}. ${said.text}`}</p>;
}

function summaryOf(figures: Figures, epoch: number): string {
  const tested = figures.validation_accuracy === null ? "" : `, validation accuracy ${percent(figures.validation_accuracy)}`;
  return `Epoch ${epoch}: loss ${short(figures.loss ?? figures.validation_loss ?? NaN, 3)}${tested}.`;
}
