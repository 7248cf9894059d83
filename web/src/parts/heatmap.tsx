import { useEffect, useRef, useState } from "preact/hooks";
import type { Rgb } from "../colors";
import { isDark } from "../theme";

interface Props {
  values: ArrayLike<number>; // rows x columns, or rows x columns x 3 pixels
  rows: number;
  columns: number;
  color?: (value: number, dark: boolean) => Rgb; // none: values are pixels 0..255 of `channels`
  channels?: number;
  label: string; // what it is, for those who do not see it
  describe?: (row: number, column: number, value: number) => string; // what hovering, or the arrow keys, say
  pick?: (row: number, column: number) => void; // on a click, Enter or Space
  width?: number; // CSS pixels
}

/** A picture of numbers. Its values are read by hovering, or with the arrow keys. */
export function Heatmap({ values, rows, columns, color, channels = 1, label, describe, pick, width = 196 }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<[number, number] | null>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const picture = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const rgb = color ? color(values[i]!, dark) : pixel(values, i, channels);
      picture.data.set([rgb[0], rgb[1], rgb[2], 255], 4 * i);
    }
    context.putImageData(picture, 0, 0);
  }, [values, rows, columns, color, channels, dark]);
  const said = at && describe ? describe(at[0], at[1], values[(at[0] * columns + at[1]) * (color ? 1 : channels)]!) : "";
  const hover = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    setAt(row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null);
  };
  const step = (event: KeyboardEvent) => {
    if (pick && at && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      pick(at[0], at[1]);
    }
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const [row, column] = at ?? [0, 0];
    setAt([clamp(row + move[0]!, rows), clamp(column + move[1]!, columns)]);
  };
  return (
    <figure class="heatmap" style={{ width: `${width}px` }}>
      <div class="cells">
        <canvas
          ref={canvas}
          width={columns}
          height={rows}
          role="img"
          aria-label={said ? `${label}. ${said}` : label}
          tabIndex={describe ? 0 : undefined}
          style={{ width: "100%", aspectRatio: `${columns} / ${rows}` }}
          onPointerMove={describe ? hover : undefined}
          onPointerDown={describe ? hover : undefined}
          onClick={() => pick && at && pick(at[0], at[1])}
          onPointerLeave={() => setAt(null)}
          onKeyDown={describe ? step : undefined}
          onBlur={() => setAt(null)}
        />
        {at && describe ? (
          <i class="cell" style={{ left: `${(100 * at[1]) / columns}%`, top: `${(100 * at[0]) / rows}%`, width: `${100 / columns}%`, height: `${100 / rows}%` }} />
        ) : null}
      </div>
      {describe ? <figcaption aria-live="polite">{said || "\u00a0"}</figcaption> : null}
    </figure>
  );
}

function pixel(values: ArrayLike<number>, i: number, channels: number): Rgb {
  return channels === 3 ? [values[3 * i]!, values[3 * i + 1]!, values[3 * i + 2]!] : [values[i]!, values[i]!, values[i]!];
}

function clamp(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, value));
}
