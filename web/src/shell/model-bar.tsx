import { useEffect } from "preact/hooks";
import { count } from "../numbers";
import { Notice } from "../parts/notice";
import { type ModelSummary, model, openSession, session } from "../session";
import { parameter, setParameters } from "../url";

/** Which network answers on this page, what it is made of, and how good it is. */
export function ModelBar() {
  const chosen = model.value;
  const models = session.value?.models ?? [];
  const asked = parameter("model");
  const isMissing = asked !== "" && asked !== chosen?.name;
  useEffect(() => {
    if (isMissing) void openSession(); // it may be new
  }, [asked, isMissing]);
  if (!chosen) return <Notice>There is no network yet. Train one, and you can choose it here.</Notice>;
  return (
    <>
      {isMissing ? <Notice>This studio has no network “{asked}”. Here is {chosen.title} instead.</Notice> : null}
      <div class="model">
        <label>
          <span>Network</span>
          <select value={chosen.name} onChange={(event) => choose(event.currentTarget.value)}>
            {models.map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}
          </select>
        </label>
        <ol aria-label="Layers of this network" tabIndex={0}>
          {chosen.layers.map((layer, i) => <li key={i}>{layer}</li>)}
        </ol>
        <span class="number">{count.format(chosen.parameters)} parameters</span>
        {chosen.measured === null ? null : <span class="number">{chosen.measured}</span>}
      </div>
    </>
  );
}

/** Another network gets the same sample, if it takes samples of that kind. */
function choose(name: string): void {
  const next = session.value!.models.find((one) => one.name === name);
  setParameters({ model: name, sample: kindOf(next) === kindOf(model.value) ? parameter("sample") || null : null }, true);
}

function kindOf(one: ModelSummary | null | undefined): string {
  return one ? `${one.reads} ${one.input_shape}` : "";
}
