/** One click adds a remedy against overfitting, in a second run from the start that lies beside the first. */
import { kindOf } from "../form/experiment";
import { fork, type LiveRun } from "./live";
import { play } from "./pace";
import { beside, show } from "./shown";
import type { Experiment } from "../types";

interface Remedy {
  name: string;
  changes: (now: Experiment) => Partial<Experiment>;
  isOn: (now: Experiment) => boolean;
  fits: (now: Experiment) => boolean;
}

const always = () => true;
const isOfSizes = ({ layers }: Experiment) => layers === null;
const REMEDIES: readonly Remedy[] = [
  { name: "L2", changes: () => ({ l2: 1e-3 }), isOn: ({ l2 }) => l2 > 0, fits: always },
  { name: "L1", changes: () => ({ l1: 3e-4 }), isOn: ({ l1 }) => l1 > 0, fits: always },
  { name: "dropout", changes: () => ({ dropout: 0.2 }), isOn: ({ dropout }) => dropout > 0, fits: isOfSizes },
  { name: "batch normalization", changes: () => ({ batch_norm: true }), isOn: ({ batch_norm }) => batch_norm, fits: isOfSizes },
  {
    name: "early stopping",
    changes: ({ epochs }) => ({ patience: Math.max(3, Math.round(epochs / 10)) }),
    isOn: ({ patience }) => patience > 0,
    fits: ({ validation }) => validation > 0,
  },
  {
    name: "augmentation",
    changes: () => ({ augment: true }),
    isOn: ({ augment }) => augment,
    fits: ({ data }) => kindOf(data) === "images",
  },
];

export function Regularize({ run }: { run: LiveRun }) {
  const now = run.summary.value.experiment;
  const add = async (changes: Partial<Experiment>) => {
    const made = await fork(run.name, changes, 0);
    if (!made) return;
    show(made, [run.name, ...beside.value.map(({ name }) => name)]);
    await play(made);
  };
  return (
    <section class="panel regularize" aria-labelledby="regularize-title">
      <h2 id="regularize-title">Against overfitting</h2>
      <p class="quiet">
        One click trains {run.name} again from the same initial weights, with one thing added. The curves above show both
        runs.
      </p>
      <div class="row">
        {REMEDIES.filter(({ fits }) => fits(now)).map(({ name, changes, isOn }) => (
          <button key={name} type="button" aria-disabled={isOn(now)} onClick={() => isOn(now) || add(changes(now))}>
            {isOn(now) ? "✓" : "+"} {name}
          </button>
        ))}
      </div>
    </section>
  );
}
