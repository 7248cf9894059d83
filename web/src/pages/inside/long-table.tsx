import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface TableColumn {
  title: string;
  cell: (row: number) => ComponentChildren;
}

interface Props {
  caption: string;
  columns: TableColumn[];
  order: ArrayLike<number>; // the rows, in the order in which they are shown
  chosen?: number | null; // a row
  onChoose?: (row: number) => void; // by the mouse, anywhere in the row; for the keyboard, a cell holds a button
}

const ROW = 30; // CSS pixels
const SHOWN = 11;
const SPARE = 6; // rows beyond the edges, so that scrolling shows no gap

/** A table of any length: it holds the rows in sight alone, and says to screen readers how many there are. */
export function LongTable({ caption, columns, order, chosen, onChoose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const count = order.length;
  useEffect(() => {
    box.current!.scrollTop = 0;
    setFirst(0);
  }, [order]);
  const from = Math.max(0, Math.min(first, count - SHOWN) - SPARE);
  const to = Math.min(count, first + SHOWN + SPARE);
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  const scroll = () => setFirst(Math.max(0, Math.floor(box.current!.scrollTop / ROW)));
  const height = Math.min(count, SHOWN) * ROW + 34;
  return (
    <div class="long" ref={box} tabIndex={0} role="region" aria-label={caption} onScroll={scroll} style={{ height: `${height}px` }}>
      <table class="data" aria-rowcount={count + 1}>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>{columns.map(({ title }) => <th key={title} scope="col">{title}</th>)}</tr>
        </thead>
        <tbody>
          <Space rows={from} />
          {rows.map((i) => (
            <tr
              key={i} aria-rowindex={i + 2} class={order[i] === chosen ? "chosen" : undefined}
              onClick={onChoose && ((event) => (event.target as Element).closest("button") || onChoose(order[i]!))}
            >
              {columns.map(({ title, cell }, c) => c ? <td key={title}>{cell(order[i]!)}</td> : <th key={title} scope="row">{cell(order[i]!)}</th>)}
            </tr>
          ))}
          <Space rows={count - to} />
        </tbody>
      </table>
    </div>
  );
}

function Space({ rows }: { rows: number }) {
  return rows > 0 ? <tr aria-hidden="true" class="space" style={{ height: `${rows * ROW}px` }} /> : null;
}
