import { useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ref } from "preact";
import { greymap, paint, paintAll, type Point, type Stroke, widthOf } from "./strokes";

const SENT = 140; // pixels of a side of the picture that is read: five for each that the network gets
const STEP = 1 / 28; // of the paper, that an arrow key moves the pen

export interface PaperHandle {
  picture: () => Blob;
  hasInk: () => boolean;
  clear: () => void;
}

interface Props {
  handle: Ref<PaperHandle>;
  under: HTMLCanvasElement | ImageBitmap | null; // lies on the paper, and can be drawn over
  onInk: (since: number, isEnd: boolean) => void;
  onClear: () => void;
}

/** A paper to draw on, with a mouse, a pen, a finger or the keyboard. */
export function Paper({ handle, under, onInk, onClear }: Props) {
  const screen = useRef<HTMLCanvasElement>(null);
  const sent = useRef<HTMLCanvasElement | null>(null);
  const strokes = useRef<Stroke[]>([]);
  const [count, setCount] = useState(0); // of strokes; they themselves change too often to render
  const [thickness, setThickness] = useState(0.07);
  const [pen, setPen] = useState<{ at: [number, number]; isDown: boolean } | null>(null); // of the keyboard
  const pointer = useRef<number | null>(null);

  if (!sent.current) {
    sent.current = Object.assign(document.createElement("canvas"), { width: SENT, height: SENT });
    sent.current.getContext("2d", { willReadFrequently: true });
  }
  const contexts = () => [screen.current!, sent.current!].map((canvas) => [canvas.getContext("2d")!, canvas.width] as const);
  const repaint = () => contexts().forEach(([context, side]) => paintAll(context, side, strokes.current, under));
  const clear = () => {
    strokes.current = [];
    setCount(0);
    setPen((before) => before && { ...before, isDown: false });
    repaint();
  };
  useImperativeHandle(handle, () => ({
    clear,
    hasInk: () => strokes.current.length > 0,
    picture: () => greymap(sent.current!.getContext("2d")!.getImageData(0, 0, SENT, SENT)),
  }), [under]);

  useLayoutEffect(() => {
    const canvas = screen.current!;
    strokes.current = [];
    setCount(0);
    repaint();
    const observer = new ResizeObserver(() => {
      const side = Math.round(canvas.clientWidth * devicePixelRatio);
      if (!side || side === canvas.width) return;
      canvas.width = canvas.height = side;
      repaint();
    });
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [under]);

  const begin = (point: Point) => {
    strokes.current.push([point]);
    setCount(strokes.current.length);
    contexts().forEach(([context, side]) => paint(context, side, [point]));
  };
  const extend = (points: Point[]) => {
    const stroke = strokes.current.at(-1)!;
    const from = stroke.length;
    stroke.push(...points);
    contexts().forEach(([context, side]) => paint(context, side, stroke, from));
  };

  const place = (event: PointerEvent): Point => {
    const box = screen.current!.getBoundingClientRect();
    const width = widthOf(thickness, event.pointerType, event.pressure);
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height, width };
  };
  const down = (event: PointerEvent) => {
    if (pointer.current !== null || event.button !== 0) return; // one finger draws; the palm does not
    pointer.current = event.pointerId;
    screen.current!.setPointerCapture(event.pointerId);
    begin(place(event));
    onInk(event.timeStamp, false);
  };
  const move = (event: PointerEvent) => {
    if (event.pointerId !== pointer.current) return;
    const events = event.getCoalescedEvents?.() ?? [];
    extend((events.length ? events : [event]).map(place));
    onInk(event.timeStamp, false);
  };
  const up = (event: PointerEvent) => {
    if (event.pointerId !== pointer.current) return;
    pointer.current = null;
    onInk(event.timeStamp, true);
  };

  const undo = () => {
    strokes.current.pop();
    setCount(strokes.current.length);
    repaint();
    if (strokes.current.length || under) onInk(performance.now(), true);
    else onClear();
  };
  const press = (event: KeyboardEvent) => {
    const direction = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const [x, y] = pen?.at ?? [0.5, 0.5];
    const isDown = pen?.isDown ?? false;
    if (direction) {
      const step = event.shiftKey ? STEP / 4 : STEP;
      const at: [number, number] = [inside(x + direction[0]! * step), inside(y + direction[1]! * step)];
      setPen({ at, isDown });
      if (isDown) {
        extend([{ x: at[0], y: at[1], width: thickness }]);
        onInk(event.timeStamp, false);
      }
    } else if (event.key === " ") {
      setPen({ at: [x, y], isDown: !isDown });
      if (!isDown) begin({ x, y, width: thickness });
      onInk(event.timeStamp, isDown);
    } else if (event.key === "Delete" || event.key === "Backspace") onClear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey) && count) undo();
    else return;
    event.preventDefault();
  };
  const leave = () => {
    if (pen?.isDown) onInk(performance.now(), true);
    setPen(null);
  };

  return (
    <div class="paper">
      <div class="sheet">
        <canvas
          ref={screen}
          tabIndex={0}
          role="application"
          aria-label="Paper to draw on"
          aria-describedby="paper-keys"
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={press}
          onFocus={(event) => event.currentTarget.matches(":focus-visible") && setPen({ at: [0.5, 0.5], isDown: false })}
          onBlur={leave}
        />
        {pen ? <i class={pen.isDown ? "pen down" : "pen"} style={{ left: `${100 * pen.at[0]}%`, top: `${100 * pen.at[1]}%` }} /> : null}
        {!count && !under ? <p class="invitation" aria-hidden="true">Draw a digit here</p> : null}
      </div>
      <p id="paper-keys" class="hint">Use a mouse, a pen or a finger. Or the keyboard: arrow keys move the pen, Space puts it down and lifts it.</p>
      <p class="unseen" role="status">{pen ? (pen.isDown ? "Pen down" : "Pen up") : ""}</p>
      <div class="tools">
        <button type="button" onClick={undo} disabled={!count}>Undo</button>
        <button type="button" onClick={onClear} disabled={!count && !under}>Clear</button>
        <label class="range">
          <span>Pen</span>
          <input
            type="range" min="0.03" max="0.14" step="0.01" value={thickness} aria-label="Thickness of the pen"
            onInput={(event) => setThickness(event.currentTarget.valueAsNumber)}
          />
          <i class="nib" style={{ width: `${4 + 140 * thickness}px`, height: `${4 + 140 * thickness}px` }} aria-hidden="true" />
        </label>
      </div>
    </div>
  );
}

function inside(share: number): number {
  return Math.min(1 - STEP / 2, Math.max(STEP / 2, share));
}
