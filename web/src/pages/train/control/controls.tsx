/** The bar over a run: go, pause, one step, one epoch, the rate while it runs, and the way back. */
import { useRef, useState } from "preact/hooks";
import { count, percent, short } from "../../../numbers";
import { LogSlider } from "../form/setting-control";
import { experiment } from "../form/experiment";
import { Herald } from "../watch/herald";
import { act, epochOf, latest, type LiveRun, rewind, setRate } from "./live";
import { Message } from "./message";
import { choosePace, type Pace, pace, PACES, play } from "./pace";
import { start } from "./shown";
import type { State } from "../types";

export function Controls({ run }: { run: LiveRun | null }) {
  const state = run?.now.value.state;
  const go = () => (!run ? start(experiment.value!) : state === "running" ? act(run.name, "pause") : play(run));
  const once = (how: "step" | "epoch") => (run ? act(run.name, how) : start(experiment.value!, undefined, how));
  const isStuck = state === "diverged" || state === "failed";
  return (
    <section class="panel controls" aria-label="Training">
      <div class="row">
        <button type="button" class="first go" disabled={isStuck} onClick={go}>
          {GO[state ?? "none"]}
        </button>
        <button type="button" disabled={isStuck || state === "running"} onClick={() => once("step")}>
          One step
        </button>
        <button type="button" disabled={isStuck || state === "running"} onClick={() => once("epoch")}>
          One epoch
        </button>
        <label class="pace">
          Pace{" "}
          <select value={pace()} onChange={(event) => choosePace(event.currentTarget.value as Pace, run)}>
            {Object.entries(PACES).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <span class="state">
          {run ? (
            <>
              <b>{run.name}</b> {state}
            </>
          ) : (
            "no run yet"
          )}
        </span>
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
  none: "Start",
  paused: "Continue",
  running: "Pause",
  finished: "Train more",
  diverged: "Continue",
  failed: "Continue",
};

function Readings({ run }: { run: LiveRun | null }) {
  const now = run?.now.value;
  const figures = run ? latest(run.past.value, "loss") : undefined;
  const tested = run ? latest(run.past.value, "validation_accuracy") : undefined;
  const epochs = run?.summary.value.experiment.epochs ?? 1;
  const epoch = run ? epochOf(run) : 0;
  const readings: [string, string][] = [
    ["Epoch", now ? `${epoch.toFixed(epoch < 10 ? 2 : 1)} of ${epochs * Math.max(1, Math.ceil(epoch / epochs))}` : "–"],
    ["Step", now ? count.format(now.step) : "–"],
    ["Steps per second", now?.steps_per_second ? count.format(Math.round(now.steps_per_second)) : "–"],
    ["Training loss", figures ? short(figures.loss!, 3) : "–"],
    ["Validation", tested ? percent(tested.validation_accuracy!) : "–"],
    ["Parameters", run ? count.format(run.summary.value.parameters) : "–"],
  ];
  return (
    <dl class="readings numbers">
      {readings.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
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
    for (let sent: number | null = null; isFree && run && next.current !== sent;) {
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
        <LogSlider
          id="rate"
          title="Learning rate now"
          value={Number((wanted ?? now).toPrecision(3))}
          low={-5}
          high={1}
          isDisabled={!run}
          set={send}
        />
      </div>
    </div>
  );
}

function Rewind({ run }: { run: LiveRun | null }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const checkpoints = run?.checkpoints.value ?? [];
  const step = run?.now.value.step ?? 0;
  const present = checkpoints.findLastIndex((one) => one <= step);
  const at = chosen ?? present;
  const per = run?.summary.value.steps_per_epoch ?? 1;
  const there = checkpoints[at];
  const inWords = there === undefined ? "–" : `step ${count.format(there)}, epoch ${(there / per).toFixed(1)}`;
  const back = async () => {
    if (run && chosen !== null && checkpoints[chosen] !== undefined) await rewind(run.name, checkpoints[chosen]);
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
          max={Math.max(1, checkpoints.length - 1)}
          value={Math.max(0, at)}
          disabled={checkpoints.length < 2}
          aria-valuetext={inWords}
          onInput={(event) => setChosen(Math.min(checkpoints.length - 1, Number(event.currentTarget.value)))}
          onChange={back}
        />
        <output for="rewind" class="numbers">
          {inWords}
        </output>
      </div>
    </div>
  );
}
