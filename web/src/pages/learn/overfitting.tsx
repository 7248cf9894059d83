import { useMemo } from "preact/hooks";
import { CLASS_COLORS, css } from "../../colors";
import { percent, short } from "../../numbers";
import { Segments } from "../../parts/segments";
import { numberParameter, setParameters } from "../../url";
import { Chart } from "../train/watch/chart";
import type { Curve } from "../train/watch/curve";
import { latest } from "../train/control/live";
import type { Experiment, Figures } from "../train/types";
import { PlaneRun } from "./plane-run";

const NOISY: Partial<Experiment> = {
  data: "moons", samples: 80, noise: 0.35, data_seed: 4, validation: 0.5, hidden: [64, 64], epochs: 400, batch_size: 8,
};
const PENALTIES = [0, 0.001, 0.01, 0.03];
const TRAINING = css(CLASS_COLORS[1]!);
const VALIDATION = css(CLASS_COLORS[0]!);

/** Few noisy points, a large network, and the gap that opens. */
export function Overfitting() {
  const l2 = PENALTIES.find((penalty) => penalty === numberParameter("l2", 0)) ?? 0;
  const rate = numberParameter("learning_rate", 0.003);
  return (
    <>
      <div class="row">
        <Segments
          legend="L2, the penalty on large weights" name="l2" value={String(l2)} onChange={(l2) => setParameters({ l2 })}
          options={PENALTIES.map((penalty) => [String(penalty), penalty ? `L2 ${penalty}` : "no L2"])}
        />
        <label class="row">
          Learning rate
          <select value={String(rate)} onChange={(event) => setParameters({ learning_rate: event.currentTarget.value })}>
            {[0.0003, 0.003, 0.03].map((one) => <option key={one}>{one}</option>)}
          </select>
        </label>
      </div>
      <PlaneRun experiment={{ ...NOISY, l2, learning_rate: rate }} begin="Train" beside={(history) => <Gap history={history} />} />
    </>
  );
}

function Gap({ history }: { history: Figures[] }) {
  const curves = useMemo(() => [curve(history, "loss", "training", TRAINING, true), curve(history, "validation_loss", "validation", VALIDATION, false)], [history]);
  const last = latest(history, "accuracy", "validation_accuracy");
  return (
    <>
      <Chart title="Loss" curves={curves} gap={[curves[0]!, curves[1]!]} format={(value) => short(value, 3)} range={range} />
      <p class="numbers">
        {last ? `Correct: ${percent(last.accuracy!)} of the training points, ${percent(last.validation_accuracy!)} of the validation points.` : "\u00a0"}
      </p>
    </>
  );
}

const range = (_: number, high: number): [number, number] => [0, Math.max(high * 1.05, 0.1)];

function curve(history: Figures[], field: "loss" | "validation_loss", label: string, color: string, isDashed: boolean): Curve {
  const measured = history.filter((figures) => figures[field] !== null);
  return { run: "this network", label, color, isDashed, x: measured.map(({ epoch }) => epoch), y: measured.map((figures) => figures[field]) };
}
