/** The hidden layers: one row each, or for pictures words that can say convolutions too. */
import { Segments } from "../../../parts/segments";
import { kindOf } from "./experiment";
import { NumberField } from "./setting-control";
import type { Experiment } from "../types";

const MOST_LAYERS = 8;
const MOST_UNITS = 4096;
const CONVOLUTIONS = "conv16 pool conv32 pool dense64";
const CONVOLUTIONAL: Partial<Experiment> = { layers: CONVOLUTIONS, learning_rate: 6e-3, schedule: "one_cycle" }; // as in pellucid.training.recipes.named

interface Props {
  experiment: Experiment;
  change: (changes: Partial<Experiment>) => void;
}

export function LayersEditor({ experiment, change }: Props) {
  const words = experiment.layers;
  return (
    <fieldset class="layers-editor">
      <legend>Hidden layers</legend>
      {kindOf(experiment.data) === "points" ? null : (
        <Segments
          legend="Kind of layers"
          name="kind"
          value={words === null ? "dense" : "convolutions"}
          options={[
            ["dense", "Dense"],
            ["convolutions", "Convolutional"],
          ]}
          onChange={(kind) => change(kind === "dense" ? { layers: null } : CONVOLUTIONAL)}
        />
      )}
      {words === null ? (
        <Sizes hidden={experiment.hidden} set={(hidden) => change({ hidden })} />
      ) : (
        <Words words={words} set={(layers) => change({ layers })} />
      )}
    </fieldset>
  );
}

function Sizes({ hidden, set }: { hidden: number[]; set: (hidden: number[]) => void }) {
  return (
    <>
      <ol>
        {hidden.map((units, i) => (
          <li key={i}>
            <button
              type="button"
              aria-label={`Layer ${i + 1}: half as many neurons`}
              disabled={units <= 1}
              onClick={() => set(hidden.with(i, Math.ceil(units / 2)))}
            >
              –
            </button>
            <NumberField
              title={`Neurons of layer ${i + 1}`}
              value={units}
              low={1}
              high={MOST_UNITS}
              step={1}
              set={(wanted) => set(hidden.with(i, Math.round(wanted)))}
            />
            <button
              type="button"
              aria-label={`Layer ${i + 1}: twice as many neurons`}
              disabled={units >= MOST_UNITS}
              onClick={() => set(hidden.with(i, Math.min(MOST_UNITS, 2 * units)))}
            >
              +
            </button>
            <span class="quiet">{units === 1 ? "neuron" : "neurons"}</span>
            <button
              type="button"
              class="plain"
              aria-label={`Remove layer ${i + 1}`}
              onClick={() => set(hidden.toSpliced(i, 1))}
            >
              ×
            </button>
          </li>
        ))}
      </ol>
      <button type="button" disabled={hidden.length >= MOST_LAYERS} onClick={() => set([...hidden, hidden.at(-1) ?? 8])}>
        Add a layer
      </button>
      <p class="hint">
        {hidden.length === 0
          ? "None: the network can only draw straight boundaries."
          : "Each layer builds on what the one before it found."}
      </p>
    </>
  );
}

function Words({ words, set }: { words: string; set: (words: string) => void }) {
  return (
    <>
      <label for="layer-words" class="unseen">
        Layers in words
      </label>
      <input
        id="layer-words"
        type="text"
        spellcheck={false}
        autocomplete="off"
        value={words}
        aria-describedby="layer-words-help"
        onChange={(event) => set(event.currentTarget.value.trim() || CONVOLUTIONS)}
      />
      <p class="hint" id="layer-words-help">
        <code>conv16</code> is 16 filters of 3 × 3, <code>pool</code> halves the picture, <code>average</code> leaves one number
        per filter. There are also <code>res32</code>, <code>dense64</code> and <code>dropout0.3</code>.
      </p>
    </>
  );
}
