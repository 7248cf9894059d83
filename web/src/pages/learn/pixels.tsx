import { useEffect, useState } from "preact/hooks";
import { unpack } from "../../api";
import { ink } from "../../colors";
import { Bars } from "../../parts/bars";
import { Heatmap } from "../../parts/heatmap";
import { Notice } from "../../parts/notice";
import { model } from "../../session";
import { setParameters } from "../../url";
import type { LabelReading } from "../draw/reading";
import { about } from "./inside";
import { useGet } from "../../use-get";
import { pixelsWord } from "../../pixels-word";

/** The picture of the address, with pixels that can be changed, and what the network says of it. */
export function Pixels() {
  const { value, error } = useGet<LabelReading>(about("/api/sample"));
  const [from, setFrom] = useState<{ pixels: Uint8Array; label: string | number } | null>(null); // before anything was changed
  useEffect(() => {
    if (value && from === null) setFrom({ pixels: unpack(value.seen).values as Uint8Array, label: value.label });
  }, [value]);
  if (!value || !from) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting">Loading a picture ...</p>;
  if (value.seen.shape.length !== 2) return <Notice>This chapter needs a network that reads grayscale pictures, such as digits.</Notice>;
  const [rows, columns] = value.seen.shape as [number, number];
  const pixels = unpack(value.seen).values as Uint8Array;
  const changed = pixels.reduce((sum, one, i) => sum + Number(one !== from.pixels[i]), 0);
  const outcome = value.label === from.label ? `The answer is still ${value.label}.` : `The answer was ${from.label}; now it is ${value.label}.`;
  const press = async (row: number, column: number) => {
    const next = pixels.slice();
    next[row * columns + column] = next[row * columns + column]! > 127 ? 0 : 255;
    setParameters({ sample: await pixelsWord(next) }, true); // the back button undoes it
  };
  return (
    <div class="workbench">
      <Heatmap
        values={pixels} rows={rows} columns={columns} width={336}
        color={(one, dark) => ink(one / 255, dark)}
        label={`${rows} by ${columns} pixels of a picture`}
        describe={(row, column, one) => `row ${row}, column ${column}: ${one}`}
        pick={press}
      />
      <div>
        <Bars labels={model.value!.labels} probabilities={value.probabilities} caption="What the network says" />
        <p role="status">{changed === 0 ? "Nothing changed yet." : `${changed} of ${rows * columns} pixels changed. ${outcome}`}</p>
        <button type="button" disabled={changed === 0} onClick={async () => setParameters({ sample: await pixelsWord(from.pixels) }, true)}>
          Reset
        </button>
        {error ? <Notice kind="error">{error}</Notice> : null}
      </div>
    </div>
  );
}
