import { useEffect, useState } from "preact/hooks";
import { Segments } from "../../parts/segments";
import { model } from "../../session";
import { address, follow, parameter, setParameters } from "../../url";
import { OPTIMIZERS } from "../train/form/settings";
import { isBackward, isCommonScale, MOST_PATHS, optimizer, paths, rate, type Seen, targetOf } from "./state";

/** Which sample, which way, and how much of the paths. */
export function Controls({ seen }: { seen: Seen | null }) {
  const backward = isBackward.value;
  return (
    <div class="controls">
      {model.value?.input_shape.length === 1 ? <Row seen={seen} /> : <SampleChoice seen={seen} />}
      <Segments
        legend="Direction" name="view" value={backward ? "backward" : "forward"} options={[["forward", "Forward"], ["backward", "Backward"]]}
        onChange={(value) => setParameters({ view: value === "backward" ? "backward" : null }, true)}
      />
      {backward ? <BackwardChoice seen={seen} /> : null}
      <label class="range paths">
        <span>Paths</span>
        <input type="range" min={0} max={MOST_PATHS} step={1} value={paths.value} onInput={(event) => setParameters({ paths: event.currentTarget.value })} />
        <span class="number">{paths.value || "none"}</span>
      </label>
      <Segments
        legend="Color scale" name="scale" value={isCommonScale.value ? "common" : "layer"} options={[["layer", "Scale per layer"], ["common", "One scale"]]}
        onChange={(value) => setParameters({ scale: value === "common" ? "common" : null })}
      />
    </div>
  );
}

function SampleChoice({ seen }: { seen: Seen | null }) {
  const sample = seen?.look.sample ?? parameter("sample");
  const row = /^test-(\d+)$/.exec(sample);
  const go = (to: number) => setParameters({ sample: `test-${to}` }, true);
  const at = row ? Number(row[1]) : null;
  const truth = seen?.look.truth ?? null;
  const hasTests = model.value?.reads !== "images"; // of pictures that no pipeline prepares, the studio has none
  return (
    <div class="row sample">
      {hasTests ? <button type="button" aria-label="Previous test sample" disabled={at === null || at === 0} onClick={() => go(at! - 1)}>‹</button> : null}
      <span class="number" aria-live="polite">{at !== null ? `Test ${at}` : parameter("sample") ? "Your picture" : "No picture yet"}{truth !== null ? `: ${String(model.value?.labels[truth] ?? truth)}` : ""}</span>
      {hasTests ? <button type="button" aria-label="Next test sample" onClick={() => go(at === null ? 0 : at + 1)}>›</button> : null}
      <a class="button" href={address("/draw", { model: parameter("model") || null, sample: sample || null })} onClick={follow}>{OTHER[model.value?.reads as keyof typeof OTHER]}</a>
    </div>
  );
}

const OTHER = { digits: "Draw one", photos: "Open one", images: "Change its pixels" };

const REACH = 3; // of the sliders; the number beside takes any

/** The numbers of a sample, each by a slider. */
function Row({ seen }: { seen: Seen | null }) {
  const word = seen?.look.sample ?? parameter("sample");
  const numbers = word.startsWith("xy.") ? word.slice(3).split(",").map(Number) : [];
  const change = (i: number, value: number) => {
    if (Number.isFinite(value)) setParameters({ sample: `xy.${numbers.map((old, j) => (j === i ? value : old)).join(",")}` });
  };
  if (numbers.length > 6) return <p class="hint">{numbers.length} numbers: change them in the address (sample=xy...).</p>;
  return (
    <div class="row numbers-of">
      {numbers.map((value, i) => (
        <label key={i} class="range">
          <span>x{i + 1}</span>
          <input type="range" min={-REACH} max={REACH} step={0.05} value={value} onInput={(event) => change(i, event.currentTarget.valueAsNumber)} />
          <input type="number" aria-label={`x${i + 1}, any number`} step="any" value={value} onChange={(event) => change(i, event.currentTarget.valueAsNumber)} />
        </label>
      ))}
    </div>
  );
}

function BackwardChoice({ seen }: { seen: Seen | null }) {
  const target = targetOf(seen?.look);
  const isValue = seen?.look.answer.kind === "identity";
  const [text, setText] = useState(rate.value);
  useEffect(() => setText(rate.value), [rate.value]);
  return (
    <>
      <label class="row">
        <span>Target</span>
        {isValue ? (
          <input type="text" value={target} onChange={(event) => setParameters({ target: event.currentTarget.value || null })} />
        ) : (
          <select value={target} onChange={(event) => setParameters({ target: event.currentTarget.value })}>
            {(model.value?.labels ?? []).map((label, k) => <option key={k} value={String(k)}>{label}</option>)}
          </select>
        )}
      </label>
      <label class="row">
        <span>Optimizer</span>
        <select value={optimizer.value} onChange={(event) => setParameters({ optimizer: event.currentTarget.value })}>
          {OPTIMIZERS.map((name) => <option key={name} value={name}>{name.replaceAll("_", " ")}</option>)}
        </select>
      </label>
      <label class="row">
        <span>Learning rate</span>
        <input type="number" class="rate" min="0" step="any" value={text} onInput={(event) => setText(event.currentTarget.value)}
          onChange={(event) => (event.currentTarget.valueAsNumber > 0 ? setParameters({ learning_rate: event.currentTarget.value }) : setText(rate.value))} />
      </label>
    </>
  );
}
