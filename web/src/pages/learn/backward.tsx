import { digitsFor, short } from "../../numbers";
import { Notice } from "../../parts/notice";
import { numberParameter, setParameters } from "../../url";
import { useFrame, useGet } from "../../use-get";
import type { Look } from "../inside/types";
import { Curve } from "./curve";
import { about, order } from "./inside";

interface Along {
  weight: number;
  loss: number;
  gradient: number;
  input: number;
  dsum: number;
  weights: number[];
  losses: number[];
}

const SHOWN = 8; // weights to choose from

/** The loss as one weight of the output moves, its slope, and a step downhill. */
export function Backward() {
  const { value, error } = useFrame<Look>(about("/api/inside"));
  if (!value) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting">Loading the network ...</p>;
  const { layers, answer } = value.data;
  const last = layers.at(-1)!;
  const below = value.arrays[`${last.sources[0]}.output`];
  if (answer.kind === "identity" || !below) return <Notice>This chapter needs a network that classifies.</Notice>;
  const labels = answer.rows.map((row) => String(row.label));
  const second = order(answer.rows.map((row) => row.probability ?? 0), Number)[1]!; // an answer that was wrong has more to teach
  const target = Math.min(labels.length - 1, Math.max(0, Math.round(numberParameter("target", second))));
  const loudest = order(below.values).slice(0, SHOWN);
  const source = Math.round(numberParameter("source", loudest[0]!));
  return (
    <>
      <div class="row">
        <label class="row">
          Suppose the truth is
          <select value={target} onChange={(event) => setParameters({ target: event.currentTarget.value })}>
            {labels.map((label, k) => <option key={label} value={k}>{label}</option>)}
          </select>
        </label>
        <label class="row">
          and move the weight from
          <select value={source} onChange={(event) => setParameters({ source: event.currentTarget.value })}>
            {[...new Set([source, ...loudest])].map((i) => <option key={i} value={i}>{last.sources[0]}[{i}] = {short(below.values[i] ?? 0)}</option>)}
          </select>
        </label>
        <span>to the score of {labels[target]}</span>
      </div>
      <Step target={target} source={source} unit={answer.kind === "sigmoid" ? 0 : target} />
    </>
  );
}

function Step({ target, source, unit }: { target: number; source: number; unit: number }) {
  const { value, error } = useGet<Along>(about("/api/learn/weight", { target, layer: "output", input: source, unit }));
  const power = numberParameter("rate", -2);
  if (error) return <Notice kind="error">{error}</Notice>;
  if (!value) return <p class="waiting">Computing the loss ...</p>;
  const rate = 10 ** power;
  const next = value.weight - rate * value.gradient;
  const digits = {
    gradient: digitsFor(value.gradient, (n) => n(value.input) * n(value.dsum)),
    next: digitsFor(next, (n) => n(value.weight) - n(rate) * n(value.gradient)),
  };
  const reached = between(value.weights, value.losses, next);
  const reach = (value.weights.at(-1)! - value.weights[0]!) / 4;
  const tangent = [value.weight - reach, value.weight + reach];
  return (
    <div class="workbench">
      <div>
        <Curve
          lines={[{ x: value.weights, y: value.losses }, { x: tangent, y: tangent.map((w) => value.loss + value.gradient * (w - value.weight)), other: true }]}
          points={[{ x: value.weight, y: value.loss, name: "now" }, { x: next, y: reached ?? value.loss, other: true, name: "after", below: true }]}
          low={Math.min(...value.losses)} high={Math.max(...value.losses)}
          across="the weight" up="loss; dashed: its slope here" label="The loss as one weight moves, with its slope"
        />
      </div>
      <div>
        <p class="sum" role="status">
          dL/dz = <b>{short(value.dsum)}</b><br />
          dL/dw = x · dL/dz = {short(value.input, digits.gradient)} · {short(value.dsum, digits.gradient)} = <b>{short(value.gradient)}</b><br />
          new w = {short(value.weight, digits.next)} − {short(rate, digits.next)} · {short(value.gradient, digits.next)} = <b>{short(next)}</b>
        </p>
        <div class="range">
          <label for="rate">Learning rate</label>
          <input id="rate" type="range" min="-4" max="1" step="0.05" value={power} onInput={(event) => setParameters({ rate: event.currentTarget.value })} />
          <span class="number">{short(rate, 3)}</span>
        </div>
        <p class="numbers">
          {reached === null ? `Loss now ${short(value.loss)}; this step leaves the chart.` : `Loss now ${short(value.loss)}, after this step ${short(reached)}: ${reached <= value.loss ? "downhill" : "too far"}.`}
        </p>
      </div>
    </div>
  );
}

/** The loss at w, on the line between the two weights around it; null outside of what was tried. */
function between(weights: number[], losses: number[], w: number): number | null {
  const after = weights.findIndex((one) => one >= w);
  if (after < 0 || (after === 0 && w < weights[0]!)) return null;
  if (after === 0) return losses[0]!;
  const share = (w - weights[after - 1]!) / (weights[after]! - weights[after - 1]!);
  return losses[after - 1]! + share * (losses[after]! - losses[after - 1]!);
}
