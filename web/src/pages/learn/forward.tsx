import type { Block } from "../../api";
import { diverging, scaleOf } from "../../colors";
import { percent, short } from "../../numbers";
import { Heatmap } from "../../parts/heatmap";
import { Notice } from "../../parts/notice";
import { numberParameter, setParameters } from "../../url";
import { useFrame } from "../../use-get";
import { indexOf, type LayerView, type Look, type Neuron, unitAndPlace } from "../inside/types";
import { about, order } from "./inside";

/** The road of one picture, a layer at a time. */
export function Forward() {
  const { value, error } = useFrame<Look>(about("/api/inside"));
  if (!value) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting">Loading the network ...</p>;
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
        <button type="button" class="first" disabled={at === layers.length - 1} onClick={() => setParameters({ stop: at + 1 })}>Next</button>
        <span class="quiet">{at + 1} of {layers.length}: {layer.name}, {layer.shape.join(" × ")} numbers</span>
      </div>
      <Stop key={layer.name} layer={layer} output={value.arrays[`${layer.name}.output`]} look={value.data} />
    </>
  );
}

function Stop({ layer, output, look }: { layer: LayerView; output: Block | undefined; look: Look }) {
  const values = output?.values ?? new Float64Array();
  const isOutput = layer.name === "output";
  const [rows, columns, shown] = laidOut(layer.shape, values);
  const strongest = isOutput ? look.answer.best : (order(values)[0] ?? 0);
  const neuron = useFrame<Neuron>(layer.has_neurons ? about("/api/inside/neuron", { layer: layer.name, ...unitAndPlace(indexOf(layer.shape, strongest)) }) : null);
  const most = scaleOf(shown);
  return (
    <div class="workbench">
      <Heatmap values={shown} rows={rows} columns={columns} width={280} label={`The output of ${layer.name}`} color={(value, dark) => diverging(value / most, dark)}
        describe={(row, column, value) => `${row * columns + column}: ${short(value)}`} />
      <div class="stop-words">
        <p>{layer.formula}</p>
        {neuron.value ? <p class="sum">{neuron.value.data.address}: {neuron.value.data.line}</p> : null}
        {isOutput ? <Softmax look={look} /> : null}
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

function Softmax({ look }: { look: Look }) {
  const { rows, total, kind } = look.answer;
  if (kind === "identity") return null;
  return (
    <table class="data">
      <caption>{total === null ? "From score to probability" : `e to the power of each score minus the largest; their sum is ${short(total)}`}</caption>
      <thead><tr><th scope="col">Label</th><th scope="col">Score</th>{total === null ? null : <th scope="col">e^(score − largest)</th>}<th scope="col">Probability</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.label}>
            <th scope="row">{row.label}</th>
            <td>{short(row.score)}</td>
            {total === null ? null : <td>{short(row.exponential ?? 0)}</td>}
            <td>{percent(row.probability ?? 0, 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
