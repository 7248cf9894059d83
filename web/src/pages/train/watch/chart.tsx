/** A chart of curves (uPlot): the gap between two of them may be shaded, and its numbers are there as a table. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isDark } from "../../../theme";
import { lastInWords, NumbersTable, Values } from "./chart-numbers";
import type { Curve, Format } from "./curve";

interface Props {
  title: string;
  curves: Curve[];
  gap?: [Curve, Curve] | undefined; // the area between them is shaded
  format: Format;
  range: (low: number, high: number) => [number, number];
}

export function Chart({ title, curves, gap, format, range }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const given = useRef({ format, range, gap }); // the plot asks for the newest ones whenever it is drawn
  given.current = { format, range, gap };
  const [at, setAt] = useState<number | null>(null);
  const looks = curves.map(({ run, label, color, isDashed }) => `${run} ${label} ${color} ${isDashed}`).join();
  const dark = isDark.value;
  useEffect(() => {
    const parent = box.current;
    if (!parent) return; // the page was turned before the first frame
    const made = new uPlot(optionsOf(parent, curves, given, setAt), joined(curves), parent);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(sizeOf(parent)));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [looks, dark]);
  useEffect(() => plot.current?.setData(joined(curves)), [curves]);
  return (
    <figure class="chart">
      <h3>{title}</h3>
      <div ref={box} class="plot" role="img" aria-label={`${title}: ${lastInWords(curves, format)}`} />
      <figcaption class="numbers">
        <Values curves={curves} at={at} format={format} />
      </figcaption>
      <NumbersTable title={title} curves={curves} format={format} />
    </figure>
  );
}

function joined(curves: readonly Curve[]): uPlot.AlignedData {
  if (curves.length === 0) return [[]];
  return uPlot.join(
    curves.map(({ x, y }) => [x, y] as uPlot.AlignedData),
    curves.map(() => [0, 0]),
  );
}

function sizeOf(box: HTMLElement): { width: number; height: number } {
  return { width: Math.max(160, box.clientWidth), height: Math.max(120, box.clientHeight) };
}

function optionsOf(
  box: HTMLElement,
  curves: readonly Curve[],
  given: { readonly current: Pick<Props, "format" | "range" | "gap"> },
  hover: (x: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(box);
  const [quiet, rule] = [style.getPropertyValue("--quiet"), style.getPropertyValue("--rule")];
  const axis: uPlot.Axis = {
    stroke: quiet,
    grid: { stroke: rule, width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  return {
    ...sizeOf(box),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: (_, low, high) => (low === null || high === null ? [0, 1] : [low, Math.max(high, low + 0.01)]) },
      y: { range: (_, low, high) => given.current.range(low ?? 0, high ?? 1) },
    },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => `${+tick.toFixed(2)}`) },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => given.current.format(tick)) },
    ],
    series: [
      {},
      ...curves.map(({ label, color, isDashed }): uPlot.Series => ({
        label,
        stroke: color,
        width: 2,
        spanGaps: true,
        points: { show: (_, __, from, to) => to - from < 2 },
        ...(isDashed ? { dash: [5, 4] } : {}),
      })),
    ],
    hooks: {
      drawAxes: [(u) => shade(u, given.current.gap)],
      setCursor: [(u) => hover(u.cursor.left === undefined || u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x"))],
    },
  };
}

/** Fills the area between two curves, each with its own places along x. */
function shade(u: uPlot, gap: [Curve, Curve] | undefined): void {
  if (!gap) return;
  const corners = gap.flatMap(({ x, y }, i) => {
    const along = x.flatMap((at, k) =>
      y[k] === null || y[k] === undefined ? [] : [[u.valToPos(at, "x", true), u.valToPos(y[k]!, "y", true)] as const],
    );
    return i ? along.reverse() : along;
  });
  if (corners.length < 3) return;
  u.ctx.save();
  u.ctx.beginPath();
  for (const [left, top] of corners) u.ctx.lineTo(left, top);
  u.ctx.closePath();
  u.ctx.fillStyle = getComputedStyle(u.root).getPropertyValue("--gap");
  u.ctx.fill();
  u.ctx.restore();
}
