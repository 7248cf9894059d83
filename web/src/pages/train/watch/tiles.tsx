/** Many small pictures on one canvas: neurons as maps of the plane, first weights as pictures. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Rgb } from "../../../colors";
import { isDark } from "../../../theme";

interface Props {
  values: ArrayLike<number>; // (n, rows, columns)
  shape: readonly [n: number, rows: number, columns: number];
  color: (value: number, dark: boolean) => Rgb;
  label: string;
  describe: (tile: number) => string;
}

const TILE = 48; // canvas pixels
const GAP = 3;
const MOST_COLUMNS = 8;

export function Tiles({ values, shape: [n, rows, columns], color, label, describe }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const dark = isDark.value;
  const across = Math.min(MOST_COLUMNS, n);
  const down = Math.ceil(n / across);
  const size = [across * TILE - GAP, down * TILE - GAP] as const;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const one = new OffscreenCanvas(columns, rows);
    const brush = one.getContext("2d")!;
    const picture = brush.createImageData(columns, rows);
    context.clearRect(0, 0, ...size);
    for (let tile = 0; tile < n; tile++) {
      for (let i = 0; i < rows * columns; i++) {
        const [r, g, b] = color(values[tile * rows * columns + i]!, dark);
        picture.data.set([r, g, b, 255], 4 * i);
      }
      brush.putImageData(picture, 0, 0);
      context.drawImage(one, (tile % across) * TILE, Math.floor(tile / across) * TILE, TILE - GAP, TILE - GAP);
    }
  }, [values, n, rows, columns, color, dark]);
  const hover = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor((across * (event.clientX - box.left)) / box.width);
    const row = Math.floor((down * (event.clientY - box.top)) / box.height);
    setAt(row * across + column < n ? row * across + column : null);
  };
  const key = (event: KeyboardEvent) => {
    const way = { ArrowUp: -across, ArrowDown: across, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    setAt(Math.min(n - 1, Math.max(0, (at ?? -1) + way)));
  };
  const said = at !== null && at < n ? describe(at) : "";
  return (
    <figure class="tiles" style={{ maxWidth: `${Math.max(4, across) * 3.25}rem` }}>
      <div class="stage" style={{ width: `${across >= 4 ? 100 : 25 * across}%` }}>
        <canvas
          ref={canvas}
          width={size[0]}
          height={size[1]}
          role="img"
          aria-label={said ? `${label}. ${said}` : label}
          tabIndex={0}
          onMouseMove={hover}
          onMouseLeave={() => setAt(null)}
          onKeyDown={key}
          onBlur={() => setAt(null)}
        />
        {said ? (
          <i
            class="chosen"
            style={{
              left: `${(100 * ((at! % across) * TILE)) / size[0]}%`,
              top: `${(100 * (Math.floor(at! / across) * TILE)) / size[1]}%`,
              width: `${(100 * (TILE - GAP)) / size[0]}%`,
              height: `${(100 * (TILE - GAP)) / size[1]}%`,
            }}
          />
        ) : null}
      </div>
      <figcaption aria-live="polite">{said || " "}</figcaption>
    </figure>
  );
}
