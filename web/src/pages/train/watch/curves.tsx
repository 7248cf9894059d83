/** Loss and accuracy of the runs, over each other; between training and validation lies the gap, shaded and in words. */
import { useMemo } from "preact/hooks";
import { CLASS_COLORS, css } from "../../../colors";
import { percent, readable, short } from "../../../numbers";
import { Chart } from "./chart";
import type { Curve } from "./curve";
import { type LiveRun } from "../control/live";
import type { Figures } from "../types";

const MOST_POINTS = 800; // of a curve: more than a screen tells apart

export const runColor = (i: number) => css(CLASS_COLORS[i % CLASS_COLORS.length]!);

export function Curves({ runs }: { runs: LiveRun[] }) {
  const histories = runs.map((run) => run.past.value);
  const isRegression = runs[0]?.summary.value.labels.length === 0;
  const metric = isRegression ? "mae" : "accuracy";
  const [losses, metrics] = useMemo(
    () => (["loss", metric] as const).map((what) => runs.flatMap((run, i) => pair(run.name, histories[i]!, what, runColor(i)))),
    [runs.map(({ name }) => name).join(), ...histories],
  ) as [Curve[], Curve[]];
  return (
    <section class="panel curves" aria-labelledby="curves-title">
      <div class="row between">
        <h2 id="curves-title">Loss and {isRegression ? "mean error" : "accuracy"}</h2>
        <p class="legend">
          <span class="key">
            <svg width="26" height="8" aria-hidden="true">
              <path class="line" d="M0 4H26" stroke-dasharray="5 4" />
            </svg>{" "}
            training
          </span>
          <span class="key">
            <svg width="26" height="8" aria-hidden="true">
              <path class="line" d="M0 4H26" />
            </svg>{" "}
            validation
          </span>
          <span class="key">
            <i class="gap" /> gap
          </span>
        </p>
      </div>
      <div class="charts">
        <Chart title="Loss" curves={losses} gap={gapOf(losses)} format={lossText} range={lossRange} />
        {isRegression ? (
          <Chart title="Mean error" curves={metrics} gap={gapOf(metrics)} format={errorText} range={lossRange} />
        ) : (
          <Chart title="Accuracy" curves={metrics} gap={gapOf(metrics)} format={percentText} range={accuracyRange} />
        )}
      </div>
      <p class="gap-words">
        {runs[0] ? (runs[0].now.value.gap_in_words ?? "\u00a0") : "Press Start, and the curves appear here while the network learns."}
      </p>
    </section>
  );
}

const lossText = (value: number) => short(value, 3);
const errorText = (value: number) => readable(value, 3);
const percentText = (value: number) => percent(value, 1);
const lossRange = (_: number, high: number): [number, number] => [0, Math.max(high * 1.05, 1e-6)];
const accuracyRange = (low: number): [number, number] => [Math.max(0, Math.min(low, 0.95) - 0.02), 1];

/** Only the run of the page has its gap shaded: two shades over each other say nothing. */
function gapOf([training, validation]: Curve[]): [Curve, Curve] | undefined {
  return training && validation ? [training, validation] : undefined;
}

function pair(name: string, history: readonly Figures[], what: "loss" | "accuracy" | "mae", color: string): Curve[] {
  const every = Math.ceil(history.length / MOST_POINTS);
  const of = (field: keyof Figures, isDashed: boolean, label: string): Curve => {
    const measured = history.filter((figures, i) => (i % every === 0 || i === history.length - 1) && isNumber(figures[field]));
    return {
      run: name,
      label,
      color,
      isDashed,
      x: measured.map(({ epoch }) => epoch),
      y: measured.map((figures) => figures[field] ?? null),
    };
  };
  return [of(what, true, "training"), of(`validation_${what}`, false, "validation")];
}

const isNumber = (value: number | null | undefined): value is number => typeof value === "number" && Number.isFinite(value);

/** In percentage points, between the accuracies as they are shown. */
export function gapInPoints({ accuracy, validation_accuracy }: Figures): number {
  const [training, validation] = [accuracy!, validation_accuracy!].map((share) => Number((100 * share).toFixed(1)));
  return training! - validation!;
}
