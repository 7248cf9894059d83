import { useMemo, useState } from "preact/hooks";
import { count, short } from "../../numbers";
import { Gallery, tilesOf } from "./gallery";
import { LongTable, type TableColumn } from "./long-table";
import { askAbout, isBackward, type Seen, select, useFrame } from "./state";
import { addressOf, indexOf, type LayerView } from "./types";

/** A layer: what it computes, its weights as pictures, and every number of it in a table. */
export function LayerPanel({ layer, seen }: { layer: LayerView; seen: Seen }) {
  const output = seen.arrays[`${layer.name}.output`]!.values;
  const facts = useMemo(() => rangeOf(output), [output]);
  const parameters = Object.entries(layer.parameters);
  return (
    <>
      <p class="description"><code>{layer.description}</code></p>
      <p>{layer.formula}</p>
      <dl class="facts">
        <dt>Numbers</dt><dd>{layer.shape.join(" × ")}{layer.shape.length > 1 ? ` = ${count.format(output.length)}` : ""}</dd>
        <dt>Range</dt><dd>{short(facts.low)} to {short(facts.high)}</dd>
        <dt>Nonzero</dt><dd>{count.format(facts.active)} of {count.format(output.length)}</dd>
        {parameters.map(([name, shape]) => <><dt>{name}</dt><dd>{shape.join(" × ")}</dd></>)}
      </dl>
      {layer.pictures && layer.pictures[0] * layer.pictures[1] > 1 ? <Weights key={layer.name} layer={layer} seen={seen} shape={layer.pictures} /> : null}
      <Numbers layer={layer} seen={seen} />
    </>
  );
}

/** The weights of some units as pictures; backward, their gradients. */
function Weights({ layer, seen, shape }: { layer: LayerView; seen: Seen; shape: [number, number, number] }) {
  const [page, setPage] = useState(0);
  const units = layer.shape.at(-1)!;
  const channels = shape[2];
  const perPage = channels > 4 ? 4 : channels > 1 ? 12 : 48;
  const backward = isBackward.value && seen.look.loss !== null;
  const path = askAbout("weights", seen, { layer: layer.name, first: page * perPage, count: perPage, of: backward ? "gradient" : "weight" });
  const { value: frame, error } = useFrame<{ first: number }>(path);
  const tiles = useMemo(() => {
    if (!frame) return [];
    const { values, shape: of } = frame.arrays["weights"]!;
    const size = shape[0] * shape[1] * channels;
    return Array.from({ length: of[0]! }, (_, n) => tilesOf(values.subarray(n * size, (n + 1) * size), shape, `unit ${frame.data.first + n}`)).flat();
  }, [frame]);
  const pages = Math.ceil(units / perPage);
  const pick = (tile: number) => select(layer.name, pickedIndex(layer, page * perPage + Math.floor(tile / channels)));
  const what = backward ? "Gradients of the weights" : layer.kind === "conv2d" ? "Filters" : "Weights";
  return (
    <section>
      <div class="row heading">
        <h3>{what} as pictures</h3>
        {pages > 1 ? (
          <span class="row pages">
            <button type="button" disabled={page === 0} aria-label="Previous units" onClick={() => setPage(page - 1)}>‹</button>
            <span class="number">{page * perPage}–{Math.min(units, (page + 1) * perPage) - 1} of {count.format(units)}</span>
            <button type="button" disabled={page + 1 >= pages} aria-label="Next units" onClick={() => setPage(page + 1)}>›</button>
          </span>
        ) : null}
      </div>
      {error ? <p class="hint">{error}</p> : null}
      <div class={channels > 1 ? "by-channel" : "by-unit"}>
        {tiles.length ? <Gallery tiles={tiles} label={channels > 1 ? `Each unit has ${channels} pictures, one per channel` : "Each picture is one unit: click it, or press Enter, to open it"} size={channels > 4 ? 26 : shape[0] < 8 ? 36 : 52} onPick={pick} /> : null}
      </div>
    </section>
  );
}

/** A unit of a convolution is opened in the middle of its map. */
function pickedIndex(layer: LayerView, unit: number): number[] {
  return layer.shape.length === 1 ? [unit] : [Math.floor(layer.shape[0]! / 2), Math.floor(layer.shape[1]! / 2), unit];
}

const COLUMNS = [["sums", "z"], ["output", "output"], ["doutput", "dL/da"], ["slopes", "slope"], ["dsums", "dL/dz"]] as const;

function Numbers({ layer, seen }: { layer: LayerView; seen: Seen }) {
  const length = seen.arrays[`${layer.name}.output`]!.values.length;
  const order = useMemo(() => Array.from({ length }, (_, i) => i), [length]);
  const columns: TableColumn[] = [
    {
      title: "number",
      cell: (i) => {
        const index = indexOf(layer.shape, i);
        return <button type="button" class="plain from" onClick={() => select(layer.name, index)}>{addressOf(layer.name, index)}</button>;
      },
    },
  ];
  for (const [name, title] of COLUMNS) {
    const values = seen.arrays[`${layer.name}.${name}`]?.values;
    if (values) columns.push({ title, cell: (i) => short(values[i]!) });
  }
  return (
    <section>
      <h3>All numbers</h3>
      <LongTable caption={`All numbers of ${layer.name}`} columns={columns} order={order} />
    </section>
  );
}

function rangeOf(values: ArrayLike<number>): { low: number; high: number; active: number } {
  let [low, high, active] = [Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value !== 0) active++;
  }
  return { low, high, active };
}
