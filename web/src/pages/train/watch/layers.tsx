/** The layers while they learn: neurons as pictures, how their numbers are spread, and which of them are dead. */
import { useMemo } from "preact/hooks";
import { type Packed, unpack } from "../../../api";
import { diverging, type Rgb, scaleOf } from "../../../colors";
import { count, short } from "../../../numbers";
import { Heatmap } from "../../../parts/heatmap";
import { Histogram } from "./histogram";
import type { LiveRun } from "../control/live";
import { Tiles } from "./tiles";
import type { LayerLook, RunSummary } from "../types";

export function Layers({ run }: { run: LiveRun }) {
  const look = run.look.value;
  return (
    <section class="panel layers" aria-labelledby="layers-title">
      <h2 id="layers-title">The layers</h2>
      {look ? (
        <div class="columns">
          {look.layers.map((layer, i) => (
            <Layer key={layer.name} layer={layer} isFirst={i === 0} kind={run.summary.value.kind} />
          ))}
        </div>
      ) : (
        <p class="quiet">The weights, activations and gradients of each layer appear here as soon as they are measured.</p>
      )}
    </section>
  );
}

function Layer({ layer, isFirst, kind }: { layer: LayerLook; isFirst: boolean; kind: RunSummary["kind"] }) {
  const { weights, activations, gradients } = layer.histograms;
  return (
    <section class="layer" aria-label={layer.name}>
      <h3>
        <code>{layer.name}</code>{" "}
        <small>
          {count.format(layer.units)} {layer.units === 1 ? "unit" : "units"}
        </small>
      </h3>
      <div class="histograms">
        <Histogram title="weights" of={layer.name} counts={weights} />
        <Histogram title="activations" of={layer.name} counts={activations} />
        <Histogram title="gradients" of={layer.name} counts={gradients} />
      </div>
      {layer.dead === null ? null : <p class="dead">{inWords(layer.dead, layer)}</p>}
      {layer.neurons ? <h4>the output of each neuron over the plane</h4> : null}
      {layer.neurons ? <Maps packed={layer.neurons} name={layer.name} /> : null}
      {layer.weights && kind === "images" ? <Pictures packed={layer.weights} name={layer.name} /> : null}
      {layer.weights && kind === "points" && isFirst ? <Matrix packed={layer.weights} name={layer.name} /> : null}
    </section>
  );
}

function inWords(dead: number, { units, name }: LayerLook): string {
  if (dead === 0) return `Every neuron of ${name} is active for some sample.`;
  return `${dead} of ${units} neurons of ${name} gave 0 for every sample: ${dead === 1 ? "it learns" : "they learn"} nothing.`;
}

const byte = (value: number, dark: boolean): Rgb => diverging((value - 128) / 127, dark);

function Maps({ packed, name }: { packed: Packed; name: string }) {
  const { shape, values } = useMemo(() => unpack(packed), [packed]);
  const [n, rows, columns] = shape as [number, number, number];
  return (
    <Tiles
      values={values}
      shape={[n, rows, columns]}
      color={byte}
      label={`The outputs of the ${n} neurons of ${name} over the plane`}
      describe={(tile) => `neuron ${tile}`}
    />
  );
}

function Pictures({ packed, name }: { packed: Packed; name: string }) {
  const { values, shape } = useMemo(() => meanOfChannels(packed), [packed]);
  const [n, rows, columns] = shape;
  const scaled = useMemo(() => scaleEach(values, n), [values, n]);
  const largest = (tile: number) => short(scaleOf(values.subarray(tile * rows * columns, (tile + 1) * rows * columns)), 3);
  return (
    <>
      <h4>the weights of each unit, as a picture</h4>
      <Tiles
        values={scaled}
        shape={shape}
        color={diverging}
        label={`The weights of ${n} units of ${name}, as pictures`}
        describe={(tile) => `unit ${tile}: weights up to ±${largest(tile)}`}
      />
    </>
  );
}

function meanOfChannels(packed: Packed): { values: Float32Array; shape: readonly [number, number, number] } {
  const { shape, values } = unpack(packed);
  const [n, rows, columns, channels = 1] = shape as [number, number, number, number?];
  if (channels === 1) return { values: values as Float32Array, shape: [n, rows, columns] };
  const means = Float32Array.from({ length: n * rows * columns }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += values[i * channels + c]!;
    return sum / channels;
  });
  return { values: means, shape: [n, rows, columns] };
}

/** Each picture by its own largest weight, so that small ones are seen too. */
function scaleEach(values: Float32Array, n: number): Float32Array {
  const each = values.length / n;
  const scales = Array.from({ length: n }, (_, tile) => scaleOf(values.subarray(tile * each, (tile + 1) * each)));
  return values.map((value, i) => value / scales[Math.floor(i / each)]!);
}

function Matrix({ packed, name }: { packed: Packed; name: string }) {
  const { shape, values } = useMemo(() => unpack(packed), [packed]);
  const [rows, columns] = shape as [number, number];
  const most = scaleOf(values);
  return (
    <>
      <h4>the weights: one row for each of x1 and x2, one column per neuron</h4>
      <Heatmap
        values={values}
        rows={rows}
        columns={columns}
        color={(value, dark) => diverging(value / most, dark)}
        label={`The ${rows} x ${columns} weights of ${name}: one row per input, one column per neuron`}
        describe={(row, column, value) => `x${row + 1} → neuron ${column}: ${short(value)}`}
        width={Math.min(320, 20 * columns)}
      />
    </>
  );
}
