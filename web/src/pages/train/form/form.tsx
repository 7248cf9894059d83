/** The form: every setting of an experiment. What it says stands in the address. */
import { useEffect, useState } from "preact/hooks";
import { parameter } from "../../../url";
import { SettingControl } from "./setting-control";
import { change, defaults, differences, experiment, kindOf, matters, words } from "./experiment";
import { LayersEditor } from "./layers-editor";
import { fork, type LiveRun } from "../control/live";
import { pointsFromText } from "./points";
import { DATA_TITLES, GROUPS, titleOf } from "./settings";
import { show, start } from "../control/shown";
import type { Experiment } from "../types";

const wide = matchMedia("(min-width: 64rem)");

export function Form({ run }: { run: LiveRun | null }) {
  const now = experiment.value!;
  const [open, setOpen] = useState(wide.matches);
  useEffect(() => {
    const follow = () => setOpen(wide.matches);
    wide.addEventListener("change", follow);
    return () => wide.removeEventListener("change", follow);
  }, []);
  return (
    <details class="panel settings" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>Experiment</h2> <span class="quiet">{inOneLine(now)}</span>
      </summary>
      <form onSubmit={(event) => event.preventDefault()}>
        {GROUPS.map(({ title, settings }) => (
          <fieldset key={title}>
            <legend>{title}</legend>
            {title === "Data" ? <DataChoice now={now} /> : null}
            {title === "Network" ? <LayersEditor experiment={now} change={change} /> : null}
            {settings
              .filter(({ name, only }) => matters(name, now) && (!only || only === kindOf(now.data)))
              .map((setting) => (
                <SettingControl
                  key={setting.name}
                  setting={setting}
                  value={now[setting.name]}
                  set={(value) => change({ [setting.name]: value })}
                />
              ))}
          </fieldset>
        ))}
      </form>
      <Footer run={run} now={now} />
    </details>
  );
}

function inOneLine(of: Experiment): string {
  const layers = of.layers ?? `${words(of, "hidden")} ${of.activation}`;
  return `${of.data} · ${layers} · ${of.optimizer.replaceAll("_", " ")} ${of.learning_rate}`;
}

function DataChoice({ now }: { now: Experiment }) {
  const names = Object.keys(DATA_TITLES).filter((name) => defaults.value?.[name]);
  const [, help] = DATA_TITLES[now.data] ?? [now.data, ""];
  return (
    <div class="setting">
      <label for="data">What to learn</label>
      <div class="control">
        <select id="data" value={now.data} aria-describedby="data-help" onChange={(event) => choose(event.currentTarget.value)}>
          {names.map((name) => (
            <option key={name} value={name}>
              {DATA_TITLES[name]![0]}
            </option>
          ))}
        </select>
      </div>
      <p class="hint" id="data-help">
        {help}
      </p>
    </div>
  );
}

/** Other data start from their own defaults; points that were drawn stay in the address. */
function choose(data: string): void {
  const points = pointsFromText(parameter("points"));
  change({ ...defaults.value![data]!, points }, true);
}

/** What can be done with the settings as they are, beside the run that is shown. */
function Footer({ run, now }: { run: LiveRun | null; now: Experiment }) {
  const changed = run ? differences(run.summary.value.experiment, now) : [];
  if (!run) return null;
  if (changed.length === 0) {
    return (
      <div class="footer">
        <p class="quiet">These are the settings of {run.name}. Change any of them to start a new run or to fork this one.</p>
      </div>
    );
  }
  return (
    <div class="footer">
      <p role="status">
        Changed: {changed.map(({ field, before, after }) => `${titleOf(field)} ${before} → ${after}`).join(", ")}
      </p>
      <div class="row">
        <button type="button" class="first" onClick={() => start(now, run)}>
          Start a new run
        </button>
        <button type="button" onClick={() => forkHere(run, now)}>
          Fork {run.name} at step {run.now.value.step}
        </button>
        <button type="button" onClick={() => show(run)}>
          Undo
        </button>
      </div>
    </div>
  );
}

async function forkHere(run: LiveRun, now: Experiment): Promise<void> {
  const changes = Object.fromEntries(differences(run.summary.value.experiment, now).map(({ field }) => [field, now[field]]));
  const made = await fork(run.name, changes);
  if (made) show(made, [run.name, ...parameter("beside").split(",")]);
}
