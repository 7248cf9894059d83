/** The plane: points, and what the network answers everywhere between them. */
import { useRef, useState } from "preact/hooks";
import { type Packed, unpack } from "../../../api";
import { css } from "../../../colors";
import { percent } from "../../../numbers";
import { Ground, Marks } from "./ground";
import { CLASS_LETTERS, classColor, MARK_PATHS } from "./marks";
import { type Marked, MOST_DRAWN } from "../form/points";
import type { Point } from "../types";

interface Props {
  points: Marked;
  labels: readonly (string | number)[];
  boundary: Packed | null;
  drawing?: { points: readonly Point[]; set: (points: Point[]) => void }; // present: the points may be changed
}

const APART = 0.06; // dragging puts points no closer than this
const STEP = 1 / 16; // of the arrow keys, as a share of the plane
const ERASER = -1;

export function Plane({ points, labels, boundary, drawing }: Props) {
  const [at, setAt] = useState<[number, number] | null>(null);
  const [tool, setTool] = useState(0);
  const dragging = useRef(false);
  const { extent } = points;
  const put = (x1: number, x2: number, what = tool) => {
    if (!drawing) return;
    const next = edited(drawing.points, [x1, x2], what, extent);
    if (next.length !== drawing.points.length) drawing.set(next); // nothing put, nothing erased: the same experiment
  };
  const place = (event: PointerEvent): [number, number] => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [clamp((2 * share[0]! - 1) * extent, extent), clamp((1 - 2 * share[1]!) * extent, extent)];
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    dragging.current = true;
    put(...place(event));
  };
  const move = (event: PointerEvent) => {
    const here = place(event);
    setAt(here);
    if (drawing && dragging.current && (tool === ERASER || isApart(drawing.points, here))) put(...here);
  };
  const key = (event: KeyboardEvent) => {
    const way = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const [x1, x2] = at ?? [0, 0];
    if (way) setAt([clamp(x1 + way[0]! * STEP * extent, extent), clamp(x2 + way[1]! * STEP * extent, extent)]);
    else if (drawing && (event.key === " " || event.key === "Enter")) put(x1, x2);
    else if (drawing && (event.key === "Delete" || event.key === "Backspace")) put(x1, x2, ERASER);
    else if (drawing && /^[1-4]$/.test(event.key)) setTool(Number(event.key) - 1);
    else return;
    event.preventDefault();
  };
  const name = `The plane: ${points.training.length} training and ${points.validation.length} validation points. Use the arrow keys to move the cross.`;
  return (
    <figure class="plane">
      {drawing ? <Tools tool={tool} choose={setTool} {...drawing} /> : null}
      <div
        class={drawing ? "stage edited" : "stage"}
        role={drawing ? "application" : "img"}
        aria-label={drawing ? `${name} Enter adds a point, Delete removes the nearest one, 1 to 4 choose the class.` : name}
        tabIndex={0}
        onPointerDown={drawing ? down : undefined}
        onPointerMove={move}
        onPointerUp={() => (dragging.current = false)}
        onPointerCancel={() => (dragging.current = false)}
        onPointerLeave={() => dragging.current || setAt(null)}
        onKeyDown={key}
        onBlur={() => setAt(null)}
      >
        <Ground boundary={boundary} />
        <Marks points={points} />
        {at ? (
          <i class="cross" style={{ left: `${50 + (50 * at[0]) / extent}%`, top: `${50 - (50 * at[1]) / extent}%` }} />
        ) : null}
      </div>
      <figcaption aria-live="polite" class="numbers">
        {at ? reading(at, extent, labels, boundary) : <Legend labels={labels} hollow={points.validation.length > 0} />}
      </figcaption>
    </figure>
  );
}

type ToolsProps = { tool: number; choose: (tool: number) => void } & NonNullable<Props["drawing"]>;

function Tools({ tool, choose, points, set }: ToolsProps) {
  const isFull = points.length >= MOST_DRAWN;
  return (
    <>
      <div class="row tools" role="toolbar" aria-label="What a click draws">
        {CLASS_LETTERS.map((letter, label) => (
          <button
            key={letter}
            type="button"
            aria-pressed={tool === label}
            aria-label={`Points of class ${letter}`}
            onClick={() => choose(label)}
          >
            <Mark label={label} filled /> {letter}
          </button>
        ))}
        <button type="button" aria-pressed={tool === ERASER} onClick={() => choose(ERASER)}>
          Eraser
        </button>
        <button type="button" disabled={points.length === 0} onClick={() => set([])}>
          Clear
        </button>
      </div>
      <p class="room" role="status">
        {isFull ? `${MOST_DRAWN} points: a link cannot hold more.` : ""}
      </p>
    </>
  );
}

export function Mark({ label, filled }: { label: number; filled: boolean }) {
  const color = css(classColor(label));
  return (
    <svg class="mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={MARK_PATHS[label % 4]} style={{ fill: filled ? color : "var(--raised)", stroke: color, strokeWidth: 2 }} />
    </svg>
  );
}

function Legend({ labels, hollow }: { labels: readonly (string | number)[]; hollow: boolean }) {
  return (
    <>
      {labels.map((label, k) => (
        <span key={label} class="key">
          <Mark label={k} filled /> {label}
        </span>
      ))}
      {hollow ? (
        <span class="key">
          <Mark label={0} filled={false} /> hollow: validation
        </span>
      ) : null}
    </>
  );
}

function reading(
  [x1, x2]: [number, number],
  extent: number,
  labels: readonly (string | number)[],
  boundary: Packed | null,
): string {
  const here = `x1 ${x1.toFixed(2)}, x2 ${x2.toFixed(2)}`;
  if (!boundary) return here;
  const { shape, values } = unpack(boundary);
  const [rows, columns, classes] = shape as [number, number, number];
  const row = Math.min(rows - 1, Math.floor((rows * (1 - x2 / extent)) / 2));
  const column = Math.min(columns - 1, Math.floor((columns * (1 + x1 / extent)) / 2));
  const shares = labels.map((label, k) => `${label} ${percent(values[(row * columns + column) * classes + k]! / 255, 0)}`);
  return `${here}: ${shares.join(", ")}`;
}

/** The plane of a run that lies beside: small, to be compared at a glance. */
export function SmallPlane({
  points,
  boundary,
  title,
  color,
}: {
  points: Marked;
  boundary: Packed | null;
  title: string;
  color: string;
}) {
  return (
    <figure class="plane small">
      <h3>
        <i class="swatch" style={{ background: color }} />
        {title}
      </h3>
      <div class="stage" role="img" aria-label={`What ${title} answers over the plane`}>
        <Ground boundary={boundary} />
        <Marks points={points} zoom={1.8} />
      </div>
    </figure>
  );
}

function edited(points: readonly Point[], [x1, x2]: [number, number], tool: number, extent: number): Point[] {
  if (tool !== ERASER) return [...points, [x1, x2, tool] as Point].slice(0, MOST_DRAWN);
  const far = points.map(([a, b]) => Math.hypot(a - x1, b - x2));
  const nearest = far.indexOf(Math.min(...far));
  return far[nearest]! < 0.1 * extent ? points.toSpliced(nearest, 1) : [...points];
}

function isApart(points: readonly Point[], [x1, x2]: [number, number]): boolean {
  const last = points.at(-1);
  return !last || Math.hypot(last[0] - x1, last[1] - x2) >= APART;
}

function clamp(value: number, extent: number): number {
  return Math.min(extent, Math.max(-extent, value));
}
