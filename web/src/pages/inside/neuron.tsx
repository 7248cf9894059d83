import { useMemo, useState } from "preact/hooks";
import type { Frame } from "../../api";
import { scaleOf } from "../../colors";
import { count, short } from "../../numbers";
import { Segments } from "../../parts/segments";
import { Gallery, type Tile, tilesOf } from "./gallery";
import { LongTable, type TableColumn } from "./long-table";
import { chosenWeight, type Seen, select, selectWeight } from "./state";
import { StepPanel } from "./step";
import { addressOf, type Index, type LayerView, type Neuron } from "./types";

const MOST_TILES = 48;

/** One number in full: what it is the sum of, and backward its gradients and the update. */
export function NeuronPanel({ frame, layer, seen }: { frame: Frame<Neuron>; layer: LayerView; seen: Seen }) {
  const { data, arrays } = frame;
  const backward = data.doutput !== null;
  const hasUpdate = arrays["new"] !== undefined;
  return (
    <>
      <p class="formula sum">{data.line}</p>
      <dl class="facts">
        {data.sum !== null ? <Fact name={layer.name === "output" ? "Score z" : "Sum z"} value={data.sum} /> : null}
        {layer.name !== "output" ? <Fact name={data.activation && data.activation !== "identity" ? `Output ${data.activation}(z)` : "Output"} value={data.output} /> : null}
        {data.parameters.map((one) => <Fact key={one.name} name={capital(one.name)} value={one.value} />)}
      </dl>
      {backward ? <Backward data={data} /> : null}
      {arrays["inputs"]!.values.length ? (
        <>
          <Pictures frame={frame} layer={layer} />
          <Products frame={frame} seen={seen} hasUpdate={hasUpdate} layer={layer} />
        </>
      ) : null}
      {backward && (hasUpdate || data.parameters.length) ? <StepPanel neuron={data} seen={seen} /> : null}
    </>
  );
}

function Fact({ name, value }: { name: string; value: number }) {
  return <><dt>{name}</dt><dd>{short(value)}</dd></>;
}

/** The chain rule at this number: what comes down to it, and what it makes of it. */
function Backward({ data }: { data: Neuron }) {
  return (
    <section>
      <h3>Backward</h3>
      {data.back ? <p class="formula sum">{data.back}</p> : null}
      <dl class="facts">
        <Fact name="dL/da, from above" value={data.doutput!} />
        {data.slope !== null ? <Fact name="Slope f'(z)" value={data.slope} /> : null}
        {data.dsum !== null ? <Fact name="dL/dz" value={data.dsum} /> : null}
      </dl>
      {data.parameters.length ? (
        <table class="data">
          <thead><tr><th scope="col">parameter</th><th scope="col">now</th><th scope="col">gradient</th><th scope="col">after the step</th></tr></thead>
          <tbody>
            {data.parameters.map((one) => (
              <tr key={one.name} class={one.name === chosenWeight.value ? "chosen" : undefined}>
                <th scope="row">{one.name}</th>
                <td>{short(one.value)}</td>
                <td>{one.gradient === null ? "" : short(one.gradient)}</td>
                <td>{one.new === null ? "" : <Choose weight={one.name} after={one.new} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

/** Weights, and products, as pictures: where the number looks, and what it finds there. */
function Pictures({ frame, layer }: { frame: Frame<Neuron>; layer: LayerView }) {
  const { arrays, data } = frame;
  const shape = layer.pictures;
  const made = useMemo(() => {
    if (!shape || shape[0] * shape[1] * shape[2] !== arrays["weights"]!.values.length || shape[0] * shape[1] === 1) return null;
    const of = (name: string, word: string) => tilesOf(arrays[name]!.values, shape, word).slice(0, MOST_TILES);
    return { weights: of("weights", "weight"), inputs: of("inputs", "input"), products: of("products", "input × weight") };
  }, [frame]);
  if (!made || !shape) return null;
  const size = shape[2] > 4 ? 30 : shape[2] > 1 ? 84 : 120;
  const kinds: [string, Tile[], string][] = [
    ["Weights", made.weights, "weights"],
    ...(data.place ? [["Inputs in the window", made.inputs, "inputs"] as [string, Tile[], string]] : []),
    ["Input × weight", made.products, "products"],
  ];
  const left = shape[2] - made.weights.length;
  return (
    <section class={`kinds ${shape[2] > 1 ? "many" : ""}`}>
      {kinds.map(([title, tiles, name]) => (
        <Gallery key={title} tiles={tiles} label={title} scale={scaleOf(arrays[name]!.values)} size={size} />
      ))}
      {left > 0 ? <p class="hint">These are the first {made.weights.length} channels; the others are in the table.</p> : null}
    </section>
  );
}

/** All terms of the sum, each with the number that it comes from. */
function Products({ frame, seen, hasUpdate, layer }: { frame: Frame<Neuron>; seen: Seen; hasUpdate: boolean; layer: LayerView }) {
  const [order, setOrder] = useState<"size" | "place">("size");
  const { data, arrays } = frame;
  const of = (name: string) => arrays[name]!.values;
  const [inputs, weights, products, positions, origin] = ["inputs", "weights", "products", "positions", "origin"].map(of) as [
    ...ArrayLike<number>[],
  ] as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const axes = arrays["positions"]!.shape[1]!;
  const ordered = useMemo(() => {
    const rows = Array.from(inputs, (_, d) => d);
    return order === "place" ? rows : rows.sort((a, b) => Math.abs(products[b]!) - Math.abs(products[a]!) || a - b);
  }, [frame, order]);
  const place = (d: number): Index => Array.from({ length: axes }, (_, axis) => positions[d * axes + axis]!);
  const columns: TableColumn[] = [
    { title: "from", cell: (d) => <Source source={data.sources[origin[d]!]!} index={place(d)} seen={seen} /> },
    { title: "input", cell: (d) => short(inputs[d]!) },
    { title: layer.has_neurons ? "weight" : layer.kind.includes("pooling") ? "share" : "factor", cell: (d) => short(weights[d]!) },
    { title: "product", cell: (d) => short(products[d]!) },
  ];
  if (hasUpdate) {
    const [gradients, after] = [of("gradients"), of("new")];
    columns[2]!.title = "weight w";
    columns.push({ title: "gradient of w", cell: (d) => short(gradients[d]!) }, { title: "new w", cell: (d) => <Choose weight={String(d)} after={after[d]!} /> });
  }
  return (
    <section>
      <div class="row heading">
        <h3>{count.format(inputs.length)} {inputs.length === 1 ? "term" : "terms"}</h3>
        {inputs.length > 2 ? (
          <Segments
            legend="Order of the terms" name="order" value={order} options={[["size", "Largest first"], ["place", "By position"]]}
            onChange={setOrder}
          />
        ) : null}
      </div>
      <LongTable
        caption={`The terms of ${data.address}`} columns={columns} order={ordered}
        {...(hasUpdate ? { chosen: /^\d+$/.test(chosenWeight.value) ? Number(chosenWeight.value) : null, onChoose: selectWeight } : {})}
      />
      {hasUpdate && data.place ? <p class="hint">A filter is used in every window, so its gradient is the sum over all of them.</p> : null}
    </section>
  );
}

/** The parameter after the step: pressed, it shows the step. */
function Choose({ weight, after }: { weight: string; after: number }) {
  const isChosen = chosenWeight.value === weight;
  return <button type="button" class="plain from" aria-pressed={isChosen} onClick={() => selectWeight(weight)}>{short(after, 6)}</button>;
}

/** A link to the number that a term comes from; the padding of a convolution comes from nowhere. */
function Source({ source, index, seen }: { source: string; index: Index; seen: Seen }) {
  const shape = seen.layers.get(source)?.shape;
  if (!shape || index.some((i, axis) => i < 0 || i >= shape[axis]!)) return <span class="quiet">padding</span>;
  return <button type="button" class="plain from" onClick={() => select(source, index)}>{addressOf(source, index)}</button>;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
