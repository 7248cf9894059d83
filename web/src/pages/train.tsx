import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { parameter } from "../url";
import { Compare } from "./train/watch/compare";
import { Controls } from "./train/control/controls";
import { Curves, runColor } from "./train/watch/curves";
import { change, defaults, experiment, hasSameData, isGenerated, kindOf, openDefaults } from "./train/form/experiment";
import { Form } from "./train/form/form";
import { Keep } from "./train/control/keep";
import { Layers } from "./train/watch/layers";
import { attempt, follow, isLoaded, type LiveRun, loadRuns, runs, trouble } from "./train/control/live";
import { CLASS_LETTERS } from "./train/watch/marks";
import { Plane, SmallPlane } from "./train/watch/plane";
import { fetchPoints, fetchPointsOf, type Marked } from "./train/form/points";
import { Regularize } from "./train/control/regularize";
import { beside, ofThisPage, shown } from "./train/control/shown";
import "./train/train.css";

const DRAWN_EXTENT = 1.3;
const MOST_STREAMS = 4;

/** The page Train: an experiment on the left, what it does on the right. */
export function Train() {
  useEffect(() => {
    void attempt(openDefaults);
    void loadRuns();
  }, []);
  const run = shown.value;
  useFollowed(run);
  const isLooked = useSeen(run?.look.value);
  return (
    <>
      <h1>Train</h1>
      <p class="lede">
        Choose data and a network, press Start, and watch every part of it learn. The address of this page holds the experiment.
      </p>
      {defaults.value && isLoaded.value ? (
        <div class="train">
          <Form run={run} />
          <div class="watch">
            <Controls run={run} />
            <div class="views">
              {kindOf(experiment.value!.data) === "points" ? <Boundary run={run} /> : null}
              <Curves runs={run ? [run, ...beside.value] : []} />
            </div>
            {run && isLooked ? <Layers run={run} /> : null}
            {run && isLooked ? (
              <div class="views">
                <Regularize run={run} />
                <Keep run={run} />
              </div>
            ) : null}
            {ofThisPage.value.length > 0 && (isLooked || !run) ? <Compare /> : null}
          </div>
        </div>
      ) : (
        <p class="waiting" role="status">
          {trouble.value ?? "Loading the runs ..."}
        </p>
      )}
    </>
  );
}

/** Whether it was ever there: what hangs on it comes once, all together, and nothing jumps afterwards. */
function useSeen(what: unknown): boolean {
  const seen = useRef(false);
  if (what) seen.current = true;
  return seen.current;
}

/** Listens to the run that is shown, to those that train and to those beside it; a browser allows six connections. */
function useFollowed(run: LiveRun | null): void {
  const training = [...runs.value.values()].filter((one) => one.now.value.state === "running");
  const followed = [...new Set([...(run ? [run] : []), ...training, ...beside.value])].slice(0, MOST_STREAMS);
  useEffect(() => {
    const stops = followed.map(follow);
    return () => stops.forEach((stop) => stop());
  }, [followed.map(({ name }) => name).join()]);
}

function Boundary({ run }: { run: LiveRun | null }) {
  const points = usePoints(run);
  const drawn = experiment.value!.points;
  return (
    <section class="panel boundary" aria-labelledby="boundary-title">
      <h2 id="boundary-title">{run ? "The answer at every point" : drawn ? "Draw points in the plane" : "The points"}</h2>
      <Plane
        points={points}
        labels={run?.summary.value.labels ?? CLASS_LETTERS.slice(0, classesOf(points))}
        boundary={run?.look.value?.boundary ?? null}
        {...(drawn ? { drawing: { points: drawn, set: (points) => change({ points }) } } : {})}
      />
      {run && beside.value.length > 0 ? (
        <div class="thumbs">
          {beside.value.map(
            (other, i) =>
              other.look.value &&
              hasSameData(other.summary.value.experiment, experiment.value!) && (
                <SmallPlane
                  key={other.name}
                  points={points}
                  boundary={other.look.value.boundary ?? null}
                  title={other.name}
                  color={runColor(i + 1)}
                />
              ),
          )}
        </div>
      ) : null}
    </section>
  );
}

function classesOf({ training, validation }: Marked): number {
  return [...training, ...validation].reduce((most, [, , label]) => Math.max(most, label + 1), 2);
}

const NONE: Marked = { training: [], validation: [], extent: DRAWN_EXTENT };

/** The points of the experiment: drawn ones from the address, until a run divides them; generated ones from the server. */
function usePoints(run: LiveRun | null): Marked {
  const now = experiment.value!;
  const isDrawn = now.data === "drawn";
  const of = JSON.stringify([
    now.data,
    now.samples,
    now.noise,
    now.data_seed,
    now.validation,
    isDrawn && parameter("points"),
    isDrawn && run?.name,
  ]);
  const [divided, setDivided] = useState({ of: "", points: NONE });
  useEffect(() => {
    if (!isGenerated(now.data) && !(isDrawn && run)) return;
    const ended = new AbortController();
    (isDrawn ? fetchPointsOf(run!.name, ended.signal) : fetchPoints(now, ended.signal)).then(
      (points) => setDivided({ of, points }),
      (error: Error) => error.name === "AbortError" || attempt(() => Promise.reject(error)),
    );
    return () => ended.abort();
  }, [of]);
  const own = useMemo(() => ({ ...NONE, training: now.points ?? [] }), [of]);
  return isDrawn && divided.of !== of ? own : divided.points;
}
