/** The answer as a sum: what the columns contribute together, what no column can claim, and the gap. */
import { readable } from "../../numbers";
import type { ModelSummary } from "../../session";
import { address, follow, parameter, setParameters } from "../../url";
import { contributed } from "./asking";
import { signed } from "./cell";
import type { Contributions, Controls } from "./types";

export function Sum({ controls, model }: { controls: Controls; model: ModelSummary }) {
  const found = contributed.value;
  const together = found?.columns.reduce((sum, one) => sum + one, 0) ?? 0;
  const lines: [string, string][] = found
    ? [
        [`all ${controls.columns.length} columns together`, signed(together)],
        ["where it is counted from", signed(found.bias)],
        ["gap of the method", signed(found.gap)],
      ]
    : [];
  return (
    <section class="panel why" aria-labelledby="sum-title">
      <h2 id="sum-title">Why</h2>
      {controls.answers.length > 1 ? (
        <label class="row">
          <span>What adds up to</span>
          <select value={parameter("of") || (found?.answer ?? "")} onChange={(event) => setParameters({ of: event.currentTarget.value || null }, true)}>
            {controls.answers.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
      ) : null}
      {model.labels.length > 2 ? (
        <label class="row">
          <span>What speaks for</span>
          <select value={parameter("of")} onChange={(event) => setParameters({ of: event.currentTarget.value || null }, true)}>
            <option value="">the answer</option>
            {model.labels.map((label) => <option key={label} value={String(label)}>{label}</option>)}
          </select>
        </label>
      ) : null}
      <p>
        Beside each value stands what it contributes to {found ? whose(found) : controls.target}:{" "}
        <span class="key"><i class="swatch for" aria-hidden="true" /> more</span>, <span class="key"><i class="swatch against" aria-hidden="true" /> less</span>.
      </p>
      <table class="data">
        <tbody>
          {lines.map(([name, value]) => <tr key={name}><th scope="row">{name}</th><td class="number">{value}</td></tr>)}
          <tr class="total"><th scope="row">{found?.in_units ? found.answer : "the score"}</th><td class="number">{found ? (found.in_units ? readable(found.score) : signed(found.score)) : "–"}</td></tr>
        </tbody>
      </table>
      <p class="hint">
        It is counted from a row whose numbers are all 0: the median of each number, and none of the values of a menu.{" "}
        {found ? `Method: ${found.method.replaceAll("_", " ")}, ${found.steps} steps.` : ""}
      </p>
      <div class="row"><a class="button" href={address("/inside", { model: model.name, sample: found?.sample ?? null })} onClick={follow}>Look inside</a></div>
    </section>
  );
}

function whose({ label, against, answer, in_units }: Contributions): string {
  if (label !== null) return `the score of ${label} minus that of ${against}`;
  return in_units ? `${answer}, in its own units` : `the score of ${answer}, its logarithm`;
}
