import { useState } from "preact/hooks";
import { diverging, scaleOf } from "../../colors";
import { short } from "../../numbers";
import { Heatmap } from "../../parts/heatmap";
import { Notice } from "../../parts/notice";
import { numberParameter, setParameters } from "../../url";
import type { Look, Neuron as InFull } from "../inside/types";
import { about } from "./inside";
import { useFrame } from "../../use-get";

/** One neuron that looks at pixels: weights, products, and the sum while its bias moves. */
export function Neuron() {
  const network = useFrame<Look>(about("/api/inside"));
  const layer = network.value?.data.layers.find((one) => one.pictures && one.parameters.weight?.length === 2);
  const units = layer?.shape.at(-1) ?? 1;
  const unit = Math.min(units - 1, Math.max(0, Math.round(numberParameter("neuron", 0))));
  const neuron = useFrame<InFull>(layer ? about("/api/inside/neuron", { layer: layer.name, neuron: unit }) : null);
  const error = network.error ?? neuron.error;
  if (error) return <Notice kind="error">{error}</Notice>;
  if (network.value && !layer) return <Notice>No dense layer of this network looks at a picture. Choose a network that begins with one, such as digits.</Notice>;
  if (!neuron.value || !layer) return <p class="waiting">Loading a neuron ...</p>;
  const { weights, products, inputs } = neuron.value.arrays as Record<"weights" | "products" | "inputs", { values: Float64Array }>;
  return (
    <>
      <div class="range">
        <label for="neuron">Neuron</label>
        <input id="neuron" type="range" min="0" max={units - 1} value={unit} onInput={(event) => setParameters({ neuron: event.currentTarget.value })} />
        <span class="number">{layer.name}[{unit}]</span>
      </div>
      <div class="workbench">
        <Picture of={layer.pictures!} values={inputs.values} title="inputs x" />
        <Picture of={layer.pictures!} values={weights.values} title="weights w" />
        <Picture of={layer.pictures!} values={products.values} title="products x·w" />
        <Sum key={neuron.value.data.address} neuron={neuron.value.data} products={products.values} />
      </div>
    </>
  );
}

function Picture({ of: [rows, columns, channels], values, title }: { of: number[]; values: Float64Array; title: string }) {
  const shown = channels === 1 ? values : values.filter((_, i) => i % channels! === 0);
  const most = scaleOf(shown);
  return (
    <div class="picture">
      <h2>{title}</h2>
      <Heatmap values={shown} rows={rows!} columns={columns!} width={196} label={title} color={(value, dark) => diverging(value / most, dark)}
        describe={(row, column, value) => `row ${row}, column ${column}: ${short(value)}`} />
    </div>
  );
}

function Sum({ neuron, products }: { neuron: InFull; products: Float64Array }) {
  const own = neuron.parameters.find(({ name }) => name === "bias")?.value ?? 0;
  const [bias, setBias] = useState(own);
  const [up, down] = [products.filter((one) => one > 0), products.filter((one) => one < 0)].map((ones) => ones.reduce((sum, one) => sum + one, 0));
  const z = up! + down! + bias;
  const reach = Math.ceil(Math.max(5, 1.2 * Math.abs(up! + down!)));
  return (
    <div>
      <p class="sum" role="status">
        evidence for it {short(up!)}<br />
        evidence against it {short(down!)}<br />
        bias {short(bias)}<br />
        z = <b>{short(z)}</b>
      </p>
      <div class="range">
        <label for="bias">Bias</label>
        <input id="bias" type="range" min={-reach} max={reach} step="any" value={bias} onInput={(event) => setBias(Number(event.currentTarget.value))} />
        <button type="button" class="plain" disabled={bias === own} onClick={() => setBias(own)}>as trained</button>
      </div>
      <p class="quiet sum">{neuron.line}</p>
    </div>
  );
}
