/** The numbers of a chart: below it those of one place, and all of them as a table. */
import { useState } from "preact/hooks";
import { type Curve, type Format, valueAt } from "./curve";

const ROWS = 60; // of the table, at most
const NOTHING = "nothing measured yet";

interface Props {
  curves: readonly Curve[];
  format: Format;
}

/** What every curve says at a place along x, or at its end. */
export function Values({ curves, at, format }: Props & { at: number | null }) {
  const runs = [...new Set(curves.map(({ run }) => run))];
  if (runs.length === 0) return <>{NOTHING}</>;
  return (
    <>
      <span>{at === null ? "now" : `epoch ${at.toFixed(at < 10 ? 2 : 1)}`}</span>
      {runs.map((run) => {
        const own = curves.filter((curve) => curve.run === run);
        return (
          <span key={run} class="of-run">
            {runs.length > 1 ? (
              <>
                <i class="swatch" style={{ background: own[0]!.color }} />
                {run}{" "}
              </>
            ) : null}
            {own
              .map((curve) => (runs.length > 1 ? valueAt(curve, at, format) : `${curve.label} ${valueAt(curve, at, format)}`))
              .join(runs.length > 1 ? " / " : " · ")}
          </span>
        );
      })}
    </>
  );
}

/** For those who do not see the chart. */
export function lastInWords(curves: readonly Curve[], format: Format): string {
  return curves.map((curve) => `${curve.run} ${curve.label} ${valueAt(curve, null, format)}`).join(", ") || NOTHING;
}

/** The numbers of the chart, made when they are asked for. */
export function NumbersTable({ title, curves, format }: Props & { title: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Numbers of ${title}`}>
          <table>
            <caption>{title}</caption>
            <thead>
              <tr>
                <th scope="col">Epoch</th>
                {curves.map(({ run, label }) => (
                  <th key={run + label} scope="col">
                    {run} {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rowsOf(curves).map((epoch) => (
                <tr key={epoch}>
                  <th scope="row">{epoch.toFixed(2)}</th>
                  {curves.map((curve) => (
                    <td key={curve.run + curve.label}>{valueAt(curve, epoch, format)}</td>
                  ))}
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
