/** A chart of curves (uPlot): the gap between two of them may be shaded, and its numbers are there as a table. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isDark } from "../../theme";

export interface Curve {
  run: string;
  label: string; // training or validation
  color: string;
  isDashed: boolean;
  x: number[];
  y: (number | null)[];
}

interface Props {
  title: string;
  curves: Curve[];
  gap?: [Curve, Curve] | undefined; // the area between them is shaded
  format: (value: number) => string;
  range: (low: number, high: number) => [number, number];
}

const ROWS = 60; // of the table, at most

export function Chart({ title, curves, gap, format, range }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shaded = useRef(gap);
  const [at, setAt] = useState<number | null>(null);
  shaded.current = gap;
  const looks = curves.map(({ run, label, color, isDashed }) => `${run} ${label} ${color} ${isDashed}`).join();
  const dark = isDark.value;
  useEffect(() => {
    const options = optionsOf(box.current!, curves, format, range, (u) => shade(u, shaded.current), setAt);
    const made = new uPlot(options, joined(curves), box.current!);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(sizeOf(box.current!)));
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [looks, dark, format, range]);
  useEffect(() => plot.current?.setData(joined(curves)), [curves]);
  return (
    <figure class="chart">
      <h3>{title}</h3>
      <div ref={box} class="plot" role="img" aria-label={`${title}: ${lastInWords(curves, format)}`} />
      <figcaption class="numbers"><Values curves={curves} at={at} format={format} /></figcaption>
      <NumbersTable title={title} curves={curves} format={format} />
    </figure>
  );
}

function joined(curves: readonly Curve[]): uPlot.AlignedData {
  if (curves.length === 0) return [[]];
  return uPlot.join(curves.map(({ x, y }) => [x, y] as uPlot.AlignedData), curves.map(() => [0, 0]));
}

function sizeOf(box: HTMLElement): { width: number; height: number } {
  return { width: Math.max(160, box.clientWidth), height: Math.max(120, box.clientHeight) };
}

function optionsOf(
  box: HTMLElement,
  curves: readonly Curve[],
  format: Props["format"],
  range: Props["range"],
  under: (u: uPlot) => void,
  hover: (x: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(box);
  const [quiet, rule] = [style.getPropertyValue("--quiet"), style.getPropertyValue("--rule")];
  const axis: uPlot.Axis = { stroke: quiet, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: `12px ${style.fontFamily}` };
  return {
    ...sizeOf(box),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: (_, low, high) => (low === null || high === null ? [0, 1] : [low, Math.max(high, low + 0.01)]) },
      y: { range: (_, low, high) => range(low ?? 0, high ?? 1) },
    },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => `${+tick.toFixed(2)}`) },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => format(tick)) },
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
      drawAxes: [under],
      setCursor: [(u) => hover(u.cursor.left === undefined || u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x"))],
    },
  };
}

/** Fills the area between two curves, each with its own places along x. */
function shade(u: uPlot, gap: [Curve, Curve] | undefined): void {
  if (!gap) return;
  const corners = gap.flatMap(({ x, y }, i) => {
    const along = x.flatMap((at, k) => (y[k] === null || y[k] === undefined ? [] : [[u.valToPos(at, "x", true), u.valToPos(y[k]!, "y", true)] as const]));
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

function nearest({ x, y }: Curve, at: number): number | null {
  let best = -1;
  for (let i = 0; i < x.length; i++) {
    if (y[i] !== null && (best < 0 || Math.abs(x[i]! - at) <= Math.abs(x[best]! - at))) best = i;
  }
  return best < 0 ? null : best;
}

/** What every curve says at a place along x, or at its end. */
function Values({ curves, at, format }: Pick<Props, "curves" | "format"> & { at: number | null }) {
  const runs = [...new Set(curves.map(({ run }) => run))];
  if (runs.length === 0) return <>{NOTHING}</>;
  return (
    <>
      <span>{at === null ? "now" : `epoch ${at.toFixed(at < 10 ? 2 : 1)}`}</span>
      {runs.map((run) => {
        const own = curves.filter((curve) => curve.run === run);
        return (
          <span key={run} class="of-run">
            {runs.length > 1 ? <><i class="swatch" style={{ background: own[0]!.color }} />{run} </> : null}
            {own.map((curve) => (runs.length > 1 ? valueAt(curve, at, format) : `${curve.label} ${valueAt(curve, at, format)}`)).join(runs.length > 1 ? " / " : " · ")}
          </span>
        );
      })}
    </>
  );
}

const NOTHING = "nothing was measured yet";

function valueAt(curve: Curve, at: number | null, format: Props["format"]): string {
  const i = at === null ? curve.y.findLastIndex((value) => value !== null) : nearest(curve, at);
  return i === null || i < 0 ? "–" : format(curve.y[i]!);
}

function lastInWords(curves: readonly Curve[], format: Props["format"]): string {
  return curves.map((curve) => `${curve.run} ${curve.label} ${valueAt(curve, null, format)}`).join(", ") || NOTHING;
}

/** The numbers of the chart, made when they are asked for. */
function NumbersTable({ title, curves, format }: Pick<Props, "title" | "curves" | "format">) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Numbers of ${title}`}>
          <table>
            <caption>{title}</caption>
            <thead><tr><th scope="col">Epoch</th>{curves.map(({ run, label }) => <th key={run + label} scope="col">{run} {label}</th>)}</tr></thead>
            <tbody>
              {rowsOf(curves).map((epoch) => (
                <tr key={epoch}>
                  <th scope="row">{epoch.toFixed(2)}</th>
                  {curves.map((curve) => <td key={curve.run + curve.label}>{valueAt(curve, epoch, format)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  );
}

function rowsOf(curves: readonly Curve[]): number[] {
  const all = [...new Set(curves.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const every = Math.max(1, all.length / ROWS);
  return Array.from({ length: Math.min(ROWS, all.length) }, (_, i) => all[Math.floor(i * every)]!);
}
