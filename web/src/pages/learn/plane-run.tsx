import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { percent } from "../../numbers";
import { Notice } from "../../parts/notice";
import { act, discard, follow, latest, type LiveRun, make, setStepsPerSecond, trouble } from "../train/control/live";
import { Plane } from "../train/watch/plane";
import { fetchPoints, type Marked } from "../train/form/points";
import type { Experiment, Figures } from "../train/types";

const EPOCHS_PER_SECOND = 50; // slow enough to be seen
const EMPTY: Marked = { training: [], validation: [], extent: 1.5 };

interface Props {
  experiment: Partial<Experiment>;
  begin: string; // what the button says
  beside?: (history: Figures[]) => ComponentChildren;
}

/** One network in the plane that trains while it is watched; it is gone when the reader turns the page. */
export function PlaneRun({ experiment, begin, beside }: Props) {
  const [run, setRun] = useState<LiveRun | null>(null);
  const [points, setPoints] = useState<Marked>(EMPTY);
  const mine = useRef<string | null>(null); // the run to take away
  const key = JSON.stringify(experiment);
  useEffect(() => {
    const asked = new AbortController();
    setRun(null);
    void (async () => {
      const made = await make(experiment as Experiment, true);
      if (!made) return;
      if (asked.signal.aborted) return void discard(made.name);
      mine.current = made.name;
      await setStepsPerSecond(made.name, EPOCHS_PER_SECOND * made.summary.value.steps_per_epoch);
      setRun(made);
      setPoints(await fetchPoints(made.summary.value.experiment, asked.signal).catch(() => EMPTY));
    })();
    const leave = () => {
      asked.abort();
      if (mine.current) void discard(mine.current);
      mine.current = null;
    };
    const close = (event: PageTransitionEvent) => event.persisted || leave(); // persisted: the page may come back as it is
    addEventListener("pagehide", close);
    return () => {
      removeEventListener("pagehide", close);
      leave();
    };
  }, [key]);
  useEffect(() => (run ? follow(run) : undefined), [run]);
  const now = run?.now.value;
  const history = run?.history.value ?? [];
  const figures = latest(history, "accuracy");
  const isRunning = now?.state === "running";
  return (
    <div class="workbench">
      <div class="train plane-box">
        <Plane points={points} labels={run?.summary.value.labels ?? []} boundary={run?.look.value?.boundary ?? null} />
      </div>
      <div>
        <div class="row">
          <button type="button" class="first" disabled={!run} onClick={() => run && act(run.name, isRunning ? "pause" : "resume")}>
            {isRunning ? "Pause" : now && now.step > 0 ? "Continue" : begin}
          </button>
          <span class="quiet number">{now ? `epoch ${Math.floor(now.epoch)}, ${run!.summary.value.parameters} parameters` : "\u00a0"}</span>
        </div>
        <p role="status" class="numbers">
          {figures ? `${percent(figures.accuracy!)} of the points are classified correctly${isRunning ? "" : "."}` : "Not trained yet."}
        </p>
        {now?.message ? <Notice>{now.message}</Notice> : null}
        {trouble.value ? <Notice kind="error">{trouble.value}</Notice> : null}
        {beside ? <div class="train">{beside(history)}</div> : null}
      </div>
    </div>
  );
}
