/** One click adds a remedy against overfitting, in a second run from the start that lies beside the first. */
import { count } from "../../numbers";
import { kindOf } from "./experiment";
import { fork, latest, type LiveRun } from "./live";
import { play } from "./pace";
import { beside, show } from "./shown";
import type { Experiment, Figures } from "./types";

interface Remedy {
  name: string;
  changes: Partial<Experiment>;
  isOn: (now: Experiment) => boolean;
  fits: (now: Experiment) => boolean;
}

const always = () => true;
const isOfSizes = ({ layers }: Experiment) => layers === null;
const REMEDIES: readonly Remedy[] = [
  { name: "L2", changes: { l2: 1e-3 }, isOn: ({ l2 }) => l2 > 0, fits: always },
  { name: "L1", changes: { l1: 3e-4 }, isOn: ({ l1 }) => l1 > 0, fits: always },
  { name: "dropout", changes: { dropout: 0.2 }, isOn: ({ dropout }) => dropout > 0, fits: isOfSizes },
  { name: "batch normalization", changes: { batch_norm: true }, isOn: ({ batch_norm }) => batch_norm, fits: isOfSizes },
  {
    name: "augmentation",
    changes: { augment: true },
    isOn: ({ augment }) => augment,
    fits: ({ data }) => kindOf(data) === "images",
  },
];

export function Regularize({ run }: { run: LiveRun }) {
  const now = run.summary.value.experiment;
  const best = bestStep(run.history.value, run.kept.value);
  const isPast = best !== null && best < run.now.value.step;
  const add = async (changes: Partial<Experiment>) => {
    const made = await fork(run.name, changes, 0);
    if (!made) return;
    show(made, [run.name, ...beside.value.map(({ name }) => name)]);
    await play(made);
  };
  const stopEarly = async () => {
    const made = await fork(run.name, {}, best!);
    if (made) show(made, [run.name, ...beside.value.map(({ name }) => name)]);
  };
  return (
    <section class="panel regularize" aria-labelledby="regularize-title">
      <h2 id="regularize-title">Against overfitting</h2>
      <p class="quiet">
        One click trains {run.name} once more, from the same first weights, with one thing added. Both curves lie over each
        other above.
      </p>
      <div class="row">
        {REMEDIES.filter(({ fits }) => fits(now)).map(({ name, changes, isOn }) => (
          <button key={name} type="button" aria-disabled={isOn(now)} onClick={() => isOn(now) || add(changes)}>
            {isOn(now) ? "✓" : "+"} {name}
          </button>
        ))}
        <button type="button" disabled={!isPast} onClick={stopEarly}>
          + early stopping
        </button>
      </div>
      <p class="hint">
        {isPast
          ? `Validation loss was lowest near step ${count.format(best)}: early stopping goes back there.`
          : "Early stopping: validation loss is still at its lowest."}
      </p>
    </section>
  );
}

/** The kept step nearest to the lowest validation loss: where stopping would have been best. */
function bestStep(history: readonly Figures[], kept: readonly number[]): number | null {
  const measured = history.filter(({ validation_loss }) => validation_loss !== null);
  if (measured.length === 0 || kept.length < 2 || !latest(history, "validation_loss")) return null;
  const best = measured.reduce((least, figures) => (figures.validation_loss! < least.validation_loss! ? figures : least)).step;
  return kept.reduce((near, step) => (Math.abs(step - best) < Math.abs(near - best) ? step : near));
}
