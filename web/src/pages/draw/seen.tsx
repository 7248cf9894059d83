import { unpack } from "../../api";
import { Heatmap } from "../../parts/heatmap";
import type { Reading } from "./reading";

const SIDE = 560; // CSS pixels, where there is room

/** The picture that the network gets, with the value of every pixel. */
export function Seen({ reading, shape }: { reading: Reading | null; shape: number[] }) {
  const [rows = 1, columns = 1, channels = 1] = shape;
  const values = reading ? unpack(reading.seen).values : new Uint8Array(rows * columns * channels);
  const describe = (row: number, column: number) => {
    const start = (row * columns + column) * channels;
    const place = `row ${row}, column ${column}`;
    if (channels > 1) return `${place}: red, green, blue ${[...values.slice(start, start + channels)].join(", ")}`;
    return `${place}: ${values[start]} of 255, so x = ${(values[start]! / 255).toFixed(3)}`;
  };
  return (
    <Heatmap
      values={values} rows={rows} columns={columns} channels={channels} describe={describe} width={(SIDE * columns) / Math.max(rows, columns)}
      label={`What the network sees: ${rows} by ${columns} pixels. Use the arrow keys to read them.`}
    />
  );
}
