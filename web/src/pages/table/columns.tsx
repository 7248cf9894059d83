/** The columns: which one is predicted, and what the others are used as. */
import { useState } from "preact/hooks";
import { count } from "../../numbers";
import { parameter } from "../../url";
import { also, dropped, kinds, predict, useAs } from "./state";
import type { ColumnLine, Overview } from "./types";

const CHOICES = { number: "number", category: "category", ordered: "ordered category", date: "date", drop: "leave it out" };
const SHOWN = 100; // columns at first
const WORDS: Record<string, string> = { yes_no: "yes or no" };

export function Columns({ overview }: { overview: Overview }) {
  const target = parameter("target");
  const [isAll, setAll] = useState(false);
  const shown = isAll ? overview.columns : overview.columns.slice(0, SHOWN);
  return (
    <section class="panel" aria-labelledby="columns-title">
      <h2 id="columns-title">Columns</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of columns">
        <table class="data columns-of">
          <thead>
            <tr>
              <th scope="col">column</th><th scope="col">use it as</th><th scope="col" class="number">missing</th>
              <th scope="col" class="number">not understood</th><th scope="col" class="number">different</th><th scope="col" class="number">numbers</th><th scope="col">why</th>
            </tr>
          </thead>
          <tbody>{shown.map((one) => <Line key={one.name} column={one} isTarget={one.name === target || also.value.includes(one.name)} />)}</tbody>
        </table>
      </div>
      {shown.length === overview.columns.length ? null : (
        <button type="button" class="plain" onClick={() => setAll(true)}>Show all {count.format(overview.columns.length)} columns</button>
      )}
      <p class="hint">“numbers” is how many the network gets of a cell. What is left out or the target gives none.</p>
    </section>
  );
}

function Line({ column, isTarget }: { column: ColumnLine; isTarget: boolean }) {
  const stated = kinds.value[column.name];
  const isDropped = dropped.value.includes(column.name);
  const [isOrdering, setOrdering] = useState(false); // its levels are being written
  const value = isDropped ? "drop" : isOrdering || Array.isArray(stated) ? "ordered" : (stated ?? "");
  const found = stated === undefined || isDropped ? `${WORDS[column.kind] ?? column.kind}, as found` : "as found";
  const choose = (kind: string) => {
    setOrdering(kind === "ordered");
    if (kind !== "ordered") useAs(column.name, kind);
  };
  return (
    <tr class={isTarget ? "target" : ""}>
      <th scope="row">{column.name}{isTarget ? <small> predicted</small> : null}</th>
      <td class="words">
        <select aria-label={`Use ${column.name} as`} value={value} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{found}</option>
          {Object.entries(CHOICES).map(([kind, title]) => (kind === "drop" && isTarget ? null : <option key={kind} value={kind}>{title}</option>))}
        </select>
        {value === "ordered" ? <Levels column={column.name} stated={Array.isArray(stated) ? stated : []} done={() => setOrdering(false)} /> : null}
      </td>
      <td class="number">{count.format(column.missing)}</td>
      <td class={column.refused ? "number marked" : "number"}>{count.format(column.refused)}</td>
      <td class="number">{count.format(column.distinct)}</td>
      <td class="number">{isTarget || column.width === 0 ? "–" : column.width}</td>
      <td class="words quiet">{isDropped ? "left out, as chosen" : column.why}</td>
    </tr>
  );
}

function Levels({ column, stated, done }: { column: string; stated: string[]; done: () => void }) {
  const take = (text: string) => {
    const levels = text.split("<").map((level) => level.trim()).filter(Boolean);
    if (levels.length < 2) return;
    done();
    useAs(column, levels);
  };
  return (
    <input
      type="text" class="levels" aria-label={`Levels of ${column}, from low to high, with < between`} placeholder="low < middle < high"
      value={stated.join(" < ")} onChange={(event) => take(event.currentTarget.value)}
    />
  );
}

/** The column that is predicted. */
export function Target({ overview }: { overview: Overview }) {
  const target = parameter("target");
  const known = overview.targets.includes(target) || target === "" ? overview.targets : [target, ...overview.targets];
  return (
    <label class="row target-choice">
      <span>Predict</span>
      <select value={target} onChange={(event) => predict(event.currentTarget.value)}>
        <option value="">choose a column ...</option>
        {known.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
}
