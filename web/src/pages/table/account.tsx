/** What became of every row and cell, what looks suspicious, and what must be asked. */
import { count } from "../../numbers";
import { Segments } from "../../parts/segments";
import { parameter, setParameters } from "../../url";
import type { Entry, Overview } from "./types";

export function Account({ overview }: { overview: Overview }) {
  const { rows, cells, rules, entries, notes, suspects } = overview;
  const told = rules.reduce((sum, rule) => sum + rule.count, 0);
  return (
    <section class="panel account" aria-labelledby="account-title">
      <h2 id="account-title">What became of it</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="The account">
        <table class="data">
          <thead>
            <tr><td />{["in", "used", "with gaps", "repaired", "refused"].map((name) => <th key={name} scope="col" class="number">{name}</th>)}</tr>
          </thead>
          <tbody>
            {([["Rows", rows], ["Cells", cells]] as const).map(([name, one]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {[one.in, one.used, one.missing, one.repaired, one.refused].map((number, i) => (
                  <td key={i} class={i > 2 && number > 0 ? "number marked" : "number"}>{count.format(number)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {notes.map((note) => <p key={note} class="hint">{sentence(note)}</p>)}
      {told > 0 ? (
        <details>
          <summary>{count.format(told)} refused or repaired</summary>
          <ul>{rules.map(({ rule, refused, count: often }) => <li key={rule}>{count.format(often)} {refused ? "refused" : "repaired"}: {rule}</li>)}</ul>
          <Entries entries={entries} told={told} />
        </details>
      ) : null}
      {suspects.length > 0 ? (
        <>
          <h3>Suspicious</h3>
          <ul class="suspects">
            {suspects.map(({ column, what, evidence }, i) => <li key={i}><b>{column ?? "Rows"}</b>: {what} <small>({evidence})</small></li>)}
          </ul>
        </>
      ) : <p class="hint">Nothing looks suspicious.</p>}
    </section>
  );
}

function Entries({ entries, told }: { entries: Entry[]; told: number }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Refused and repaired">
      <table class="data entries">
        <caption>{told > entries.length ? `The first ${entries.length}` : "All of them"}</caption>
        <thead><tr>{["row", "column", "byte", "text", "rule"].map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
        <tbody>
          {entries.map((one, i) => (
            <tr key={i}>
              <td>{count.format(one.row)}</td><td>{one.column ?? "all"}</td><td>{one.offset === null ? "–" : count.format(one.offset)}</td>
              <td><code>{one.value}</code></td><td>{one.rule}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const DECIMAL = [["", "as the cells say"], [".", "point: 1.5"], [",", "comma: 1,5"]] as const;
const DATE_ORDER = [["", "as the cells say"], ["dmy", "day first"], ["mdy", "month first"]] as const;
const ENCODINGS = ["utf-8", "windows-1252", "iso-8859-1", "iso-8859-2", "utf-16-le", "utf-16-be", "shift_jis", "gb18030"];

/** What the cells do not tell; open where something must be asked. */
export function Questions({ overview, isRefused }: { overview: Overview | null; isRefused: boolean }) {
  const asked = overview?.columns.flatMap(({ question }) => question ?? []) ?? [];
  return (
    <details class="questions" open={asked.length > 0 || isRefused}>
      <summary>{asked.length > 0 ? <b>What the cells do not tell</b> : "How it is read"}</summary>
      {asked.length > 0 ? <ul role="status">{asked.map(({ text }) => <li key={text}>{text}</li>)}</ul> : null}
      <div class="choices">
        <div class="field">
          <span class="label" aria-hidden="true">Decimal sign</span>
          <Segments legend="Decimal sign" name="decimal" value={parameter("decimal")} options={DECIMAL} onChange={(decimal) => choose({ decimal })} />
        </div>
        <div class="field">
          <span class="label" aria-hidden="true">Dates such as 03/04/2024</span>
          <Segments legend="Dates such as 03/04/2024" name="date_order" value={parameter("date_order")} options={DATE_ORDER} onChange={(date_order) => choose({ date_order })} />
        </div>
        <div class="field">
          <label for="encoding">Encoding of the text</label>
          <select id="encoding" value={parameter("encoding")} onChange={(event) => choose({ encoding: event.currentTarget.value })}>
            <option value="">as the file says, else UTF-8</option>
            {ENCODINGS.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </div>
      </div>
    </details>
  );
}

function choose(change: Record<string, string>): void {
  setParameters(Object.fromEntries(Object.entries(change).map(([name, value]) => [name, value || null])), true);
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
