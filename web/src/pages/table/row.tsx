/** One row: where it begins, and its values, each of which can be moved. */
import { useEffect, useState } from "preact/hooks";
import { count } from "../../numbers";
import { Notice } from "../../parts/notice";
import type { ModelSummary } from "../../session";
import { address, parameter, setParameters } from "../../url";
import { useGet } from "../../use-get";
import { Confidence } from "../draw/answer";
import { Answer } from "./answer";
import { answered, askAnswer, askContributions, contributed, forget } from "./asking";
import { CellControl } from "./cell";
import { aboutTable, changeCell, changes, chosen, MIDDLE, models, row, run, table } from "./state";
import { Sum } from "./sum";
import type { Cells, Control, Controls, Row } from "./types";

const USUAL_CONFIDENCE = "0.9";
const SHOWN = 30; // columns at first
const WHILE_IT_LEARNS = 800; // milliseconds from one answer to the next, of a network that changes

export function OneRow({ rows }: { rows: number | null }) {
  const model = chosen.value!;
  const { value: controls, error } = useGet<Controls>(address("/api/table/controls", { model: model.name }));
  const begin = row.value;
  const path = begin === MIDDLE ? null : aboutTable("/api/table/row", { model: model.name, row: begin });
  const { value: found, error: refused } = useGet<Row>(path);
  useEffect(() => forget, [model.name]);
  if (!controls) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting" role="status">Asking for the columns ...</p>;
  const base = begin === MIDDLE || !found || refused ? middle(controls.columns) : found.cells;
  const cells = { ...base, ...own(changes.value, controls.columns) };
  const isChanged = Object.keys(changes.value).length > 0;
  const isRunning = run.value?.now.value.state === "running";
  const isThere = begin === MIDDLE || found !== null || refused !== null;
  return (
    <div class="one-row">
      <section class="panel cells" aria-labelledby="cells-title">
        <h2 id="cells-title">One row</h2>
        <Begin model={model} rows={rows} isChanged={isChanged} />
        {table.value ? <p class="truth">{begin === MIDDLE || refused || !found ? "\u00a0" : truth(found, controls.target, isChanged)}</p> : null}
        {refused && begin !== MIDDLE ? <Notice kind="error">{refused} The middle of the training rows stands below.</Notice> : null}
        <CellList controls={controls.columns} cells={cells} />
      </section>
      <div class="beside">
        <Answer model={model} controls={controls} />
        <section class="panel confidence" aria-label="How sure">
          {isRunning ? <p class="hint">While it learns, nothing is said with a stated confidence.</p> : <Confidence model={model} confidence={confidenceOf(model)} />}
        </section>
        <Sum controls={controls} model={model} />
      </div>
      {isThere ? <Ask model={model} cells={cells} /> : null}
    </div>
  );
}

/** Asks anew whenever a cell, the model or what is asked of it has changed. */
function Ask({ model, cells }: { model: ModelSummary; cells: Cells }) {
  const isRunning = run.value?.now.value.state === "running";
  const confidence = isRunning ? "" : confidenceOf(model);
  const of = parameter("of");
  const text = JSON.stringify(cells);
  const ask = () => {
    void askAnswer({ path: address("/api/table/answer", { model: model.name, confidence: confidence || null }), cells });
    void askContributions({ path: address("/api/table/contributions", { model: model.name, of: of || null }), cells });
  };
  useEffect(ask, [model.name, model.has_confidence, confidence, of, text, run.value?.now.value.state]);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(ask, WHILE_IT_LEARNS);
    return () => clearInterval(timer);
  }, [isRunning, model.name, of, text]);
  return null;
}

function confidenceOf(model: ModelSummary): string {
  const asked = model.has_confidence ? parameter("confidence", USUAL_CONFIDENCE) : "none";
  return asked === "none" ? "" : asked;
}

function Begin({ model, rows, isChanged }: { model: ModelSummary; rows: number | null; isChanged: boolean }) {
  const at = row.value === MIDDLE ? null : Number(row.value);
  const go = (to: number | string) => setParameters({ row: to, cells: null }, true);
  return (
    <div class="row begin">
      {models.value.length > 1 ? (
        <label class="row">
          <span>Network</span>
          <select value={model.name} onChange={(event) => setParameters({ model: event.currentTarget.value, cells: null, of: null }, true)}>
            {models.value.map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}
          </select>
        </label>
      ) : null}
      {table.value ? (
        <div class="row">
          <button type="button" aria-label="The row before" disabled={at === null || at <= 1} onClick={() => go(at! - 1)}>‹</button>
          <label class="row">
            <span>Row</span>
            <input
              type="number" min={1} {...(rows === null ? {} : { max: rows })} step={1} value={at ?? ""} placeholder="–"
              onChange={(event) => event.currentTarget.valueAsNumber >= 1 && go(Math.floor(event.currentTarget.valueAsNumber))}
            />
          </label>
          <button type="button" aria-label="The next row" disabled={rows !== null && at !== null && at >= rows} onClick={() => go((at ?? 0) + 1)}>›</button>
          {rows === null ? null : <small class="number">of {count.format(rows)}</small>}
        </div>
      ) : null}
      <button type="button" class="plain" disabled={at === null && !isChanged} onClick={() => go(MIDDLE)}>A middle row</button>
      <button type="button" class="plain" disabled={!isChanged} onClick={() => setParameters({ cells: null }, true)}>Undo changes</button>
    </div>
  );
}

const PARTS = { training: "the network has learned from this row", "held out": "this row was held out of the training" };

function truth({ truth, part }: Row, target: string, isChanged: boolean): string {
  const its = truth === null ? `The table has no ${target} here` : `In the table: ${truth}`;
  const known = part ? `; ${PARTS[part]}` : "";
  return `${its}${isChanged ? ", before your changes" : ""}${known}.`;
}

function CellList({ controls, cells }: { controls: Control[]; cells: Cells }) {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? controls : controls.slice(0, SHOWN);
  const gives = contributed.value?.columns.length === controls.length ? contributed.value.columns : null;
  const most = Math.max(...(gives ?? []).map(Math.abs), 1e-12);
  return (
    <>
      <ul class="cell-list">
        {shown.map((control, i) => (
          <CellControl
            key={control.name} control={control} cell={cells[control.name] ?? null} note={answered.value?.notes[control.name] ?? null}
            gives={gives ? gives[i]! : null} share={gives ? gives[i]! / most : 0} set={(cell) => changeCell(control.name, cell)}
          />
        ))}
      </ul>
      {isAll || controls.length <= SHOWN ? null : (
        <button type="button" class="plain" onClick={() => setAll(true)}>Show all {count.format(controls.length)} columns</button>
      )}
    </>
  );
}

function middle(controls: Control[]): Cells {
  return Object.fromEntries(controls.map(({ name, start }) => [name, start]));
}

/** Of changes only those of columns that this model has: the address may come from another one. */
function own(changes: Cells, controls: Control[]): Cells {
  return Object.fromEntries(controls.flatMap(({ name }) => (name in changes ? [[name, changes[name]!]] : [])));
}
