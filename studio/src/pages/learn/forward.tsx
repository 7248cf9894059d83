import { diverging, scaleOf } from "../../colors";
import { percent, short } from "../../numbers";
import { Heatmap } from "../../parts/heatmap";
import { Notice } from "../../parts/notice";
import type { Framed } from "../../frame";
import { numberParameter, setParameters } from "../../url";
import { about, type Layer, type NeuronInFull, order, type Overview } from "./inside";
import { useFrame } from "./use-get";

/** The road of one picture, a layer at a time. */
export function Forward() {
  const { value, error } = useFrame<Overview>(about("/api/inside"));
  if (!value) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting">Fetching the network ...</p>;
  const { layers } = value.data;
  const at = Math.min(layers.length - 1, Math.max(0, Math.round(numberParameter("stop", 0))));
  const layer = layers[at]!;
  return (
    <>
      <ol class="stops">
        {layers.map((one, i) => (
          <li key={one.name}>
            <button type="button" aria-pressed={i === at} onClick={() => setParameters({ stop: i })}>{one.name}</button>
          </li>
        ))}
      </ol>
      <div class="row">
        <button type="button" disabled={at === 0} onClick={() => setParameters({ stop: at - 1 })}>Back</button>
        <button type="button" class="first" disabled={at === layers.length - 1} onClick={() => setParameters({ stop: at + 1 })}>On</button>
        <span class="quiet">{at + 1} of {layers.length}: {layer.name}, {layer.shape.join(" × ")} numbers</span>
      </div>
      <Stop key={layer.name} layer={layer} output={value.arrays[`${layer.name}.output`]} overview={value.data} />
    </>
  );
}

function Stop({ layer, output, overview }: { layer: Layer; output: Framed | undefined; overview: Overview }) {
  const values = output?.values ?? new Float64Array();
  const isOutput = layer.name === "output";
  const [rows, columns, shown] = laidOut(layer.shape, values);
  const strongest = isOutput ? overview.answer.best : (order(values)[0] ?? 0);
  const neuron = useFrame<NeuronInFull>(layer.has_neurons ? about("/api/inside/neuron", placed(layer, strongest)) : null);
  const most = scaleOf(shown);
  return (
    <div class="workbench">
      <Heatmap values={shown} rows={rows} columns={columns} width={280} label={`What ${layer.name} gives`} color={(value, dark) => diverging(value / most, dark)}
        describe={(row, column, value) => `${row * columns + column}: ${short(value)}`} />
      <div class="stop-words">
        <p>{layer.formula}</p>
        {neuron.value ? <p class="sum">{neuron.value.data.address}: {neuron.value.data.line}</p> : null}
        {isOutput ? <Softmax overview={overview} /> : null}
      </div>
    </div>
  );
}

/** A row of numbers as a block, an image as its first channel. */
function laidOut(shape: number[], values: ArrayLike<number>): [number, number, ArrayLike<number>] {
  if (shape.length === 1) {
    const columns = shape[0]! <= 16 ? shape[0]! : Math.ceil(Math.sqrt(shape[0]!));
    const rows = Math.ceil(shape[0]! / columns);
    return [rows, columns, Array.from({ length: rows * columns }, (_, i) => values[i] ?? NaN)];
  }
  const [rows, columns, channels = 1] = shape as [number, number, number?];
  return [rows, columns, Array.from({ length: rows * columns }, (_, i) => values[i * channels]!)];
}

function placed(layer: Layer, index: number): Record<string, string | number> {
  if (layer.shape.length === 1) return { layer: layer.name, neuron: index };
  const [, columns, channels = 1] = layer.shape as [number, number, number?];
  const pixel = Math.floor(index / channels);
  return { layer: layer.name, neuron: index % channels, place: `${Math.floor(pixel / columns)},${pixel % columns}` };
}

function Softmax({ overview }: { overview: Overview }) {
  const { rows, total, kind } = overview.answer;
  if (kind === "identity") return null;
  return (
    <table class="data">
      <caption>{total === null ? "From score to probability" : `e to the power of each score, shifted by the largest; together ${short(total)}`}</caption>
      <thead><tr><th scope="col">Label</th><th scope="col">Score</th>{total === null ? null : <th scope="col">e^(score − largest)</th>}<th scope="col">Probability</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.label}>
            <th scope="row">{row.label}</th>
            <td>{short(row.score)}</td>
            {total === null ? null : <td>{short(row.exponential ?? 0)}</td>}
            <td>{percent(row.probability, 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
