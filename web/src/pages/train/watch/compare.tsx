/** All runs: which is shown, which lie beside it, the settings in which they differ, and how good they are. */
import { percent, short } from "../../../numbers";
import { setParameters } from "../../../url";
import { gapInPoints, runColor } from "./curves";
import { differences, words } from "../form/experiment";
import { Delete } from "../control/delete";
import { epochOf, latest, type LiveRun } from "../control/live";
import { titleOf } from "../form/settings";
import { beside, ofThisPage, setBeside, show, shown } from "../control/shown";
import type { Experiment } from "../types";

export function Compare() {
  const all = ofThisPage.value;
  const drawn = shown.value ? [shown.value, ...beside.value] : [];
  const fields = differing(drawn.length > 1 ? drawn : all);
  return (
    <section class="panel compare" aria-labelledby="compare-title">
      <h2 id="compare-title">Runs</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of runs">
        <table class="runs">
          <caption>Tick runs to compare their curves. The columns on the right are the settings that differ.</caption>
          <thead>
            <tr>
              {["Compare", "Run", "State", "Epoch", "Training", "Validation", "Gap", "Validation loss"].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              {fields.map((field) => (
                <th key={field} scope="col" class="differs">
                  {titleOf(field)}
                </th>
              ))}
              <th scope="col">
                <span class="unseen">Delete</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((run) => (
              <Row key={run.name} run={run} place={drawn.indexOf(run)} fields={fields} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The fields that are not the same everywhere; of runs with other data only that they are others. */
function differing(some: readonly LiveRun[]): (keyof Experiment)[] {
  const [first, ...others] = some.map((run) => run.summary.value.experiment);
  return [
    ...new Set(
      others.flatMap((other) =>
        other.data === first!.data ? differences(first!, other).map(({ field }) => field) : ["data" as const],
      ),
    ),
  ];
}

function Row({ run, place, fields }: { run: LiveRun; place: number; fields: (keyof Experiment)[] }) {
  const { name } = run;
  const { state } = run.now.value;
  const { parent, experiment } = run.summary.value;
  const tested = latest(run.past.value, "accuracy", "validation_accuracy");
  const figures = tested ?? latest(run.past.value, "accuracy"); // of the same step, so that the gap is one
  const gap = tested ? gapInPoints(tested) : null;
  const tick = (isOn: boolean) => {
    const names = beside.value.map((one) => one.name).filter((one) => one !== name);
    setBeside(isOn ? [...names, name] : names);
  };
  const forget = () => {
    if (shown.value === run) setParameters({ run: null });
    setBeside(beside.value.map((one) => one.name).filter((one) => one !== name));
  };
  return (
    <tr aria-current={place === 0 ? "true" : undefined}>
      <td>
        <input
          type="checkbox"
          aria-label={`Compare ${name}`}
          checked={place >= 0}
          disabled={place === 0}
          onChange={(event) => tick(event.currentTarget.checked)}
        />
      </td>
      <th scope="row">
        <i class="swatch" style={{ background: place < 0 ? "transparent" : runColor(place) }} />
        <button type="button" class="link" onClick={() => show(run)}>
          {name}
        </button>
        {parent ? (
          <small>
            {" "}
            from {parent.run}, step {parent.step}
          </small>
        ) : null}
      </th>
      <td>{state}</td>
      <td class="number">{epochOf(run).toFixed(1)}</td>
      <td class="number">{figures ? percent(figures.accuracy!) : "–"}</td>
      <td class="number">{tested ? percent(tested.validation_accuracy!) : "–"}</td>
      <td class="number">{gap === null ? "–" : gap.toFixed(1)}</td>
      <td class="number">{tested?.validation_loss ? short(tested.validation_loss, 3) : "–"}</td>
      {fields.map((field) => (
        <td key={field} class="differs">
          {words(experiment, field)}
        </td>
      ))}
      <td>
        <Delete run={run} isGone={forget}>×</Delete>
      </td>
    </tr>
  );
}
