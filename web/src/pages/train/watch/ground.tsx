/** The two canvases of a plane: what the network answers everywhere, and the points upon it. */
import { useEffect, useRef } from "preact/hooks";
import { type Packed, unpack } from "../../../api";
import { mix, type Rgb } from "../../../colors";
import { isDark } from "../../../theme";
import { classColor, drawMark } from "./marks";
import type { Marked } from "../form/points";

const SIZE = 512; // of the canvas of points, before the density of the screen

/** What the network answers everywhere: the color of the class that wins, the stronger the surer. */
export function Ground({ boundary }: { boundary: Packed | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    if (!boundary) return context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    const { shape, values } = unpack(boundary);
    const [rows, columns, classes] = shape as [number, number, number];
    Object.assign(context.canvas, { width: columns, height: rows });
    const picture = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) picture.data.set([...answer(values, i * classes, classes, dark), 255], 4 * i);
    context.putImageData(picture, 0, 0);
  }, [boundary, dark]);
  return <canvas ref={canvas} class="ground" width={1} height={1} aria-hidden="true" />;
}

function answer(values: ArrayLike<number>, from: number, classes: number, dark: boolean): Rgb {
  let best = 0;
  for (let k = 1; k < classes; k++) if (values[from + k]! > values[from + best]!) best = k;
  const sure = (values[from + best]! / 255 - 1 / classes) / (1 - 1 / classes);
  return mix(dark ? [27, 31, 35] : [255, 255, 255], classColor(best), (dark ? 0.5 : 0.55) * Math.max(0, sure));
}

/** The points, on a canvas of their own: they change seldom. */
export function Marks({ points, zoom = 1 }: { points: Marked; zoom?: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const { extent, training, validation } = points;
    const paper = dark ? "#14171a" : "#ffffff";
    const side = SIZE * Math.min(2, Math.max(1, devicePixelRatio));
    Object.assign(context.canvas, { width: side, height: side });
    const size = zoom * (side / SIZE) * (training.length + validation.length > 800 ? 3 : 4.5);
    for (const [set, filled] of [
      [validation, false],
      [training, true],
    ] as const) {
      for (const [x1, x2, label] of set) {
        drawMark(context, label, (side * (1 + x1 / extent)) / 2, (side * (1 - x2 / extent)) / 2, size, filled, paper);
      }
    }
  }, [points, zoom, dark]);
  return <canvas ref={canvas} class="marks" width={SIZE} height={SIZE} aria-hidden="true" />;
}
