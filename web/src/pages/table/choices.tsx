/** What may be chosen in place of the rules: further targets, an ensemble, the loss, and how rows are held out. */
import { parameter, setParameters } from "../../url";
import { also, CHOICES, dropped, kinds, predictAlso } from "./state";
import type { Overview } from "./types";

const MEMBERS = 8; // of an ensemble, as pellucid train has
const LOSSES = {
  "": "squares of the errors, by rule",
  mae: "sizes of the errors",
  huber: "squares of small errors, sizes of large ones",
  poisson: "counts, by their logarithm",
  "pinball:0.1,0.5,0.9": "quantiles: 10%, 50% and 90%",
};
const SPLITS = { "": "any, at random", time: "the latest, by", group: "whole groups, by" };

/** As the server takes them. */
export function choices(): { ensemble?: number; loss?: string; split?: string } {
  const [loss, split] = [parameter("loss"), parameter("split")];
  return { ...(parameter("ensemble") ? { ensemble: MEMBERS } : {}), ...(loss ? { loss } : {}), ...(split ? { split } : {}) };
}

export function Choices({ overview }: { overview: Overview }) {
  const target = parameter("target");
  const kindOf = (name: string) => kinds.value[name] ?? overview.columns.find((one) => one.name === name)?.kind;
  const isNumber = (name: string) => kindOf(name) === "number" || kindOf(name) === "count";
  const made = CHOICES.filter((name) => parameter(name)).length + also.value.length;
  const others = overview.targets.filter((name) => name !== target && !also.value.includes(name) && !dropped.value.includes(name) && isNumber(name));
  return (
    <details class="more-choices" open={made > 0}>
      <summary>More choices</summary>
      <div class="choices">
        <label class="row">
          <input type="checkbox" checked={parameter("ensemble") !== ""} onChange={(event) => setParameters({ ensemble: event.currentTarget.checked ? "1" : null }, true)} />
          <span>Ensemble: {MEMBERS} networks in one, whose mean answers. Slower, mostly better</span>
        </label>
        {isNumber(target) ? (
          <label class="row">
            <span>Loss</span>
            <select value={parameter("loss")} onChange={(event) => setParameters({ loss: event.currentTarget.value || null }, true)}>
              {Object.entries(LOSSES).map(([loss, title]) => <option key={loss} value={loss}>{title}</option>)}
            </select>
          </label>
        ) : null}
        <Split names={overview.columns.map(({ name }) => name).filter((name) => name !== target && !also.value.includes(name))} />
        {isNumber(target) && (others.length > 0 || also.value.length > 0) ? (
          <div class="row">
            <label class="row">
              <span>Together with</span>
              <select value="" onChange={(event) => predictAlso([...also.value, event.currentTarget.value])}>
                <option value="">choose a column ...</option>
                {others.map((name) => <option key={name} value={name}>{name}</option>)}
              </select>
            </label>
            {also.value.map((name) => (
              <button key={name} type="button" aria-label={`Without ${name}`} onClick={() => predictAlso(also.value.filter((one) => one !== name))}>{name} ×</button>
            ))}
          </div>
        ) : null}
      </div>
    </details>
  );
}

/** Which rows are held out: any, the latest, or whole groups. */
function Split({ names }: { names: string[] }) {
  const [kind = "", ...rest] = parameter("split").split(":");
  const column = rest.join(":");
  const choose = (next: string, by: string) => setParameters({ split: next ? `${next}:${by}` : null }, true);
  return (
    <div class="row">
      <label class="row">
        <span>Hold out</span>
        <select value={kind} onChange={(event) => choose(event.currentTarget.value, column || (names[0] ?? ""))}>
          {Object.entries(SPLITS).map(([name, title]) => <option key={name} value={name}>{title}</option>)}
        </select>
      </label>
      {kind ? (
        <select aria-label="By which column" value={column} onChange={(event) => choose(kind, event.currentTarget.value)}>
          {names.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      ) : null}
    </div>
  );
}
