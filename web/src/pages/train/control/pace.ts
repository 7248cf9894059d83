/** How fast a run trains: as fast as the machine can, or slowly enough that eyes can follow. */
import { parameter, setParameters } from "../../../url";
import { experiment, kindOf } from "../form/experiment";
import { act, type LiveRun, setStepsPerSecond } from "./live";

export const PACES = {
  full: "full speed",
  fast: "20 epochs per second",
  slow: "1 epoch per second",
  steps: "5 steps per second",
} as const;
export type Pace = keyof typeof PACES;

/** The pace that the address says; small networks on points are learned in a blink, so that they start slower. */
export function pace(): Pace {
  const asked = parameter("pace");
  return asked in PACES ? (asked as Pace) : usual();
}

const usual = (): Pace => (kindOf(experiment.value!.data) === "points" ? "fast" : "full");

export async function choosePace(wanted: Pace, run: LiveRun | null): Promise<void> {
  setParameters({ pace: wanted === usual() ? null : wanted });
  if (run) await setStepsPerSecond(run.name, stepsPerSecond(run));
}

/** Trains on, at the pace of the page. */
export async function play(run: LiveRun): Promise<void> {
  const steps = stepsPerSecond(run);
  if (run.now.value.pace !== steps) await setStepsPerSecond(run.name, steps);
  await act(run.name, "resume");
}

function stepsPerSecond(run: LiveRun): number | null {
  const { steps_per_epoch: steps } = run.summary.value;
  return { full: null, fast: 20 * steps, slow: steps, steps: 5 }[pace()];
}
