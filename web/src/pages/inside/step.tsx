import { useEffect, useRef } from "preact/hooks";
import { get } from "../../api";
import { short } from "../../numbers";
import { Notice } from "../../parts/notice";
import { useAnswer } from "../../use-get";
import { askAbout, chosenWeight, lookAgain, type Seen } from "./state";
import { type Neuron, type Step, unitAndPlace } from "./types";

/** What the optimizer makes of the chosen weight or bias, term by term. */
export function StepPanel({ neuron, seen }: { neuron: Neuron; seen: Seen }) {
  const weight = chosenWeight.value;
  const box = useRef<HTMLElement>(null);
  const index = neuron.place ? [...neuron.place, neuron.unit] : [neuron.unit];
  const path = weight ? askAbout("step", seen, { layer: neuron.layer, ...unitAndPlace(index), weight }) : null;
  const { value, error } = useAnswer(path, (path, signal) => get<Step>(path, signal).catch(lookAgain));
  const step = value?.weight === weight ? value : null;
  useEffect(() => {
    if (step) box.current?.scrollIntoView({ block: "nearest" });
  }, [step?.parameter]);
  return (
    <section ref={box} class="step" aria-live="polite">
      <h3>{step ? <>The step of <code>{step.parameter}</code></> : "The step"}</h3>
      {weight && error ? <Notice kind="error">{error}</Notice> : null}
      {!weight ? <p class="hint">Choose a weight or the bias in a table to see its step term by term.</p> : null}
      {step ? <Terms step={step} /> : null}
    </section>
  );
}

function Terms({ step }: { step: Step }) {
  return (
    <>
      <ol class="rules">
        {step.lines.map(({ rule, filled }) => (
          <li key={rule}><span class="quiet">{rule}</span><span class="formula">{filled}</span></li>
        ))}
      </ol>
      <table class="data">
        <thead><tr><th scope="col">number</th><th scope="col">before</th><th scope="col">after</th></tr></thead>
        <tbody>
          <tr><th scope="row">{step.letter}</th><td>{short(step.before, 6)}</td><td>{short(step.after, 6)}</td></tr>
          {step.slots.map((slot) => (
            <tr key={slot.name}><th scope="row">slot {slot.name}</th><td>{short(slot.before)}</td><td>{short(slot.after)}</td></tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{step.memory}</p>
    </>
  );
}
