import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { short } from "../../numbers";
import { isDark } from "../../theme";
import { arrange, boxOf, type Column, moved, nearest, numberAt, partsOf } from "./layout";
import { Painter, type Spot } from "./paint";
import { isBackward, isCommonScale, type Seen, select, type Selection } from "./state";
import { scales, shownOf } from "./shown";
import { addressOf, type Edge, flatOf, indexOf } from "./types";

interface Props {
  seen: Seen;
  selection: Selection | null;
  edges: Edge[];
  onPoint: (layer: string | null) => void; // whose colors the legend explains
}

const HELP =
  "Arrow keys move through a layer and on to the next; with Shift they move inside a feature map. " +
  "Page Up and Page Down change the layer, Home and End go to its first and last number, Enter opens a number.";

/** All layers as columns of their numbers. Only what is in sight is drawn, and only when something has changed. */
export function Network({ seen, selection, edges, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const pointed = useRef<Spot | null>(null);
  const waiting = useRef(0);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [said, setSaid] = useState("");
  const { look, arrays } = seen;
  const [dark, backward, common] = [isDark.value, isBackward.value && look.loss !== null, isCommonScale.value];

  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = box.current!;
      setSize((last) => (last.width === clientWidth && last.height === clientHeight ? last : { width: clientWidth, height: clientHeight }));
    });
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);

  const unit = useMemo(() => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16, [size]);
  const heading = Math.round((look.layers.some(({ name }) => name.includes(".")) ? 84 : 46) * unit); // names in a block are long
  const shapes = look.layers.map((layer) => `${layer.name} ${layer.shape}`).join();
  const { columns, total } = useMemo(
    () => arrange(look.layers, size.width, Math.max(120, size.height - heading - 16), unit),
    [shapes, look.model, size, unit],
  );
  const painter = useMemo(() => {
    const measure = scales(seen, backward, common);
    const values = (layer: string) => shownOf(arrays, layer, backward);
    return new Painter({ columns, look, arrays, values, scaleOf: measure, isBackward: backward, edges, dark, unit });
  }, [columns, seen, edges, dark, backward, common]);

  const chosen = useMemo<Spot | null>(() => {
    const column = columns.find((one) => one.layer.name === selection?.layer.name);
    return column && selection?.index ? { column, flat: flatOf(column.layer.shape, selection.index) } : null;
  }, [columns, selection?.layer.name, selection?.index?.join()]);

  const drawAbove = () => {
    const context = sized(above.current!, size);
    painter.above(context, box.current!.scrollLeft, pointed.current, chosen);
    showTip(tip.current!, pointed.current, box.current!, painter);
  };
  const drawAll = () => {
    painter.base(sized(base.current!, size), box.current!.scrollLeft, size.width);
    drawAbove();
  };
  useLayoutEffect(() => {
    if (!size.width) return;
    if (pointed.current) pointed.current = again(pointed.current, columns);
    drawAll();
  }, [painter, chosen, size]);
  useEffect(() => () => cancelAnimationFrame(waiting.current), []);

  /** Many events, one drawing a frame. */
  const soon = (draw: () => void) => {
    cancelAnimationFrame(waiting.current);
    waiting.current = requestAnimationFrame(draw);
  };
  const spotAt = (event: MouseEvent): Spot | null => {
    const { left, top } = base.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - left + box.current!.scrollLeft, event.clientY - top];
    for (const column of columns) {
      const flat = numberAt(column, x, y);
      if (flat !== null) return { column, flat };
    }
    return null;
  };
  const point = (spot: Spot | null) => {
    if (spot?.column === pointed.current?.column && spot?.flat === pointed.current?.flat) return;
    if (spot?.column !== pointed.current?.column) onPoint(spot?.column.layer.name ?? null);
    pointed.current = spot;
    soon(drawAbove);
  };
  const open = ({ column, flat }: Spot) => select(column.layer.name, indexOf(column.layer.shape, flat));

  const press = (event: KeyboardEvent) => {
    const from = pointed.current ?? chosen ?? { column: columns.at(-1)!, flat: look.answer.kind === "softmax" ? look.answer.best : 0 };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return open(from);
    }
    const next = step(event, from, columns);
    if (!next) return;
    event.preventDefault();
    point(next);
    setSaid(described(next, painter));
    reveal(box.current!, boxOf(next.column, next.flat));
  };

  return (
    <div
      class="network"
      ref={box}
      tabIndex={0}
      role="application"
      aria-label={`The network: ${look.layers.length} layers`}
      aria-describedby="network-help"
      onScroll={() => soon(drawAll)}
      onPointerMove={(event) => point(spotAt(event))}
      onPointerLeave={() => point(null)}
      onBlur={() => point(null)}
      onClick={(event) => {
        const spot = spotAt(event);
        if (spot) open(spot);
      }}
      onKeyDown={press}
    >
      <p class="unseen" id="network-help">{HELP}</p>
      <p class="unseen" aria-live="polite">{said}</p>
      <div class="wide" style={{ width: `${total}px` }}>
        <ol class="titles" aria-label="Layers">
          {columns.map(({ layer, title }) => (
            <li key={layer.name} style={{ left: `${title.x}px`, width: `${title.width}px` }}>
              <button
                type="button"
                class="title"
                tabIndex={-1}
                title={layer.description}
                aria-pressed={selection?.layer.name === layer.name}
                onClick={(event) => {
                  event.stopPropagation();
                  select(layer.name, null);
                }}
              >
                <b>{broken(layer.name)}</b>
                <span>{layer.shape.join("×")}{layer.activation && layer.activation !== "identity" ? ` ${layer.activation}` : ""}</span>
              </button>
            </li>
          ))}
        </ol>
        <div class="stage" style={{ width: `${size.width}px`, translate: `0 ${heading}px` }}>
          <canvas ref={base} aria-hidden="true" />
          <canvas ref={above} aria-hidden="true" />
          <div class="tip" ref={tip} aria-hidden="true" hidden />
        </div>
      </div>
    </div>
  );

  function sized(canvas: HTMLCanvasElement, { width, height }: { width: number; height: number }): CanvasRenderingContext2D {
    const sharp = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * sharp), Math.round(Math.max(120, height - heading - 16) * sharp)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
      canvas.style.width = `${w / sharp}px`;
      canvas.style.height = `${h / sharp}px`;
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, w / sharp, h / sharp);
    return context;
  }
}

/** The same number in columns that were arranged anew. */
function again(spot: Spot, columns: Column[]): Spot | null {
  const column = columns.find((one) => one.layer.name === spot.column.layer.name);
  return column ? { column, flat: spot.flat } : null;
}

function described({ column, flat }: Spot, { scene }: Painter): string {
  const { layer } = column;
  const value = scene.values(layer.name)[flat]!;
  const what = scene.isBackward ? "gradient" : layer.name === "output" && scene.look.answer.kind !== "identity" ? "score" : "";
  const row = layer.name === "output" && scene.look.answer.kind === "softmax" ? scene.look.answer.rows[flat] : null;
  return `${addressOf(layer.name, indexOf(layer.shape, flat))} ${what} ${short(value)}${row ? ` (${row.label})` : ""}`.replace("  ", " = ");
}

/** Says beside the pointer what is there; without a render, so that it follows the pointer. */
function showTip(tip: HTMLDivElement, spot: Spot | null, box: HTMLDivElement, painter: Painter): void {
  tip.hidden = spot === null;
  if (!spot) return;
  tip.textContent = described(spot, painter);
  const { x, y, width, height } = boxOf(spot.column, spot.flat);
  const left = x - box.scrollLeft + width / 2;
  const isRight = left > box.clientWidth / 2;
  tip.style.left = `${Math.round(isRight ? left - 10 : left + 10)}px`;
  tip.style.translate = isRight ? "-100% 0" : "0 0";
  tip.style.top = `${Math.round(y > 40 ? y - 34 : y + height + 8)}px`;
}

/** Where a key leads from a number. */
function step(event: KeyboardEvent, { column, flat }: Spot, columns: Column[]): Spot | null {
  const i = columns.indexOf(column);
  const count = column.layer.shape.reduce((product, size) => product * size, 1);
  const middle = (spot: Spot) => boxOf(spot.column, spot.flat).y + boxOf(spot.column, spot.flat).height / 2;
  const beside = (to: number): Spot | null => {
    const next = columns[to];
    return next ? { column: next, flat: nearest(next, middle({ column, flat }), to > i) } : null;
  };
  const go = (dx: number, dy: number): Spot | null => {
    const next = moved(column, flat, dx, dy, event.shiftKey);
    return next === null ? (dx ? beside(i + dx) : null) : { column, flat: next };
  };
  switch (event.key) {
    case "ArrowLeft": return go(-1, 0);
    case "ArrowRight": return go(1, 0);
    case "ArrowUp": return go(0, -1);
    case "ArrowDown": return go(0, 1);
    case "PageUp": return beside(i - 1);
    case "PageDown": return beside(i + 1);
    case "Home": return { column, flat: 0 };
    case "End": return { column, flat: count - 1 };
    default: return null;
  }
}

function reveal(box: HTMLDivElement, { x, width }: { x: number; width: number }): void {
  if (x - 40 < box.scrollLeft) box.scrollLeft = x - 40;
  else if (x + width + 40 > box.scrollLeft + box.clientWidth) box.scrollLeft = x + width + 40 - box.clientWidth;
}

/** A long name may be broken after each part. */
function broken(name: string) {
  return partsOf(name).flatMap((part, i) => (i ? [<wbr key={i} />, part] : [part]));
}
