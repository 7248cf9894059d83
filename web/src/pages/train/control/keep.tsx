/** What can be done with a trained network: draw with it, look inside, save it, take it along. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, post } from "../../../api";
import { address, follow } from "../../../url";
import { takeFocus } from "../../../parts/focus";
import { attempt, loadRuns, type LiveRun } from "./live";

export function Keep({ run }: { run: LiveRun }) {
  const model = { model: run.name };
  return (
    <section class="panel keep" aria-labelledby="keep-title">
      <h2 id="keep-title">Use {run.name}</h2>
      <div class="row">
        {run.summary.value.kind === "images" ? (
          <a class="button" href={address("/draw", model)} onClick={follow}>
            Draw with it
          </a>
        ) : null}
        <a class="button" href={address("/inside", model)} onClick={follow}>
          Look inside
        </a>
        <a class="button" href={`/api/runs/${run.name}/model`} download={`${run.name}.safetensors`}>
          Download
        </a>
      </div>
      <Save run={run} />
    </section>
  );
}

function Save({ run }: { run: LiveRun }) {
  const [path, setPath] = useState("");
  const [said, setSaid] = useState("");
  const [asks, setAsks] = useState(false);
  useEffect(() => {
    const { experiment, table } = run.summary.value;
    setPath(`${table?.name.replace(/\..*/, "") ?? experiment.data}-${run.name}.safetensors`);
    setSaid("");
    setAsks(false);
  }, [run]);
  const save = (overwrite: boolean) =>
    attempt(async () => {
      try {
        const { path: written } = await post<{ path: string }>(`/api/runs/${run.name}/save`, { path, overwrite });
        setSaid(`Saved as ${written}.`);
        setAsks(false);
        await loadRuns();
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        setSaid(error.message);
        setAsks(true);
      }
    });
  return (
    <form
      class="save"
      onSubmit={(event) => {
        event.preventDefault();
        void save(false);
      }}
    >
      <label for="save-path">Save on this computer as</label>
      <div class="row">
        <input
          id="save-path"
          type="text"
          spellcheck={false}
          autocomplete="off"
          value={path}
          onInput={(event) => {
            setPath(event.currentTarget.value);
            setAsks(false);
          }}
        />
        {asks ? (
          <>
            <button type="button" onClick={() => save(true)}>
              Overwrite the old file
            </button>
            <button
              type="button"
              ref={takeFocus}
              onClick={() => {
                setAsks(false);
                setSaid("");
              }}
            >
              Keep the old file
            </button>
          </>
        ) : (
          <button type="submit" disabled={!path.trim()}>
            Save
          </button>
        )}
      </div>
      <p role="status" class="said">
        {said || (run.summary.value.saved ? "Saved." : " ")}
      </p>
    </form>
  );
}
