import { useEffect, useMemo, useState } from "preact/hooks";
import { get, listen } from "../api";
import { Notice } from "../parts/notice";
import { model } from "../session";
import { AnswerPanel } from "./inside/answer";
import { Controls } from "./inside/controls";
import { LayerPanel } from "./inside/layer";
import { Legend } from "./inside/legend";
import { Network } from "./inside/network";
import { NeuronPanel } from "./inside/neuron";
import { scales } from "./inside/shown";
import { again, askAbout, isBackward, isCommonScale, paths, question, seen, type Seen, select, selectionIn, type Selection, targetOf, useFrame } from "./inside/state";
import { addressOf, type Edge, type Look, type Neuron, unitAndPlace } from "./inside/types";
import "./inside/inside.css";

/** Look inside: every number of one sample on its way through the network, there and back again. */
export function Inside() {
  const last = seen.value?.look.model === model.value?.name ? seen.value : null;
  const { value: frame, error } = useFrame<Look>(model.value ? `/api/inside?${question(targetOf(last?.look))}&again=${again.value}` : null);
  useEffect(() => {
    if (frame) seen.value = { look: frame.data, arrays: frame.arrays, layers: new Map(frame.data.layers.map((layer) => [layer.name, layer])) };
  }, [frame]);
  useFollowing();
  return (
    <div class="inside">
      <h1>Look inside</h1>
      <p class="lede">Follow one sample through the network. Each cell is a number that the network computes: open one to see how.</p>
      <Controls seen={last} />
      {error ? <Notice kind="error">{error}</Notice> : null}
      <div class="sight">{last ? <Sight seen={last} /> : <p class="empty">{error ? "" : "Computing every number of the network ..."}</p>}</div>
    </div>
  );
}

function Sight({ seen: now }: { seen: Seen }) {
  const selection = selectionIn(now);
  const [pointed, setPointed] = useState<string | null>(null);
  const edges = useEdges(now, selection);
  const backward = isBackward.value && now.look.loss !== null;
  const common = isCommonScale.value;
  const scaleOf = useMemo(() => scales(now, backward, common), [now, backward, common]);
  const layer = common ? "all layers" : (pointed ?? selection?.layer.name ?? "output");
  return (
    <>
      <div class="panel picture">
        <Network seen={now} selection={selection} edges={edges} onPoint={setPointed} />
        <div class="row below">
          <Legend scale={scaleOf(common ? "output" : layer)} of={layer} what={backward ? "Gradient of the loss in" : "Numbers of"} />
          {paths.value ? (
            <span class="hint">
              Paths: {backward ? "the largest parts of the gradient on its way back" : "the largest products of input and weight"}, blue below 0, orange above. The wider a path, the larger its share.
            </span>
          ) : null}
        </div>
      </div>
      <section class="panel details" aria-label="Details of the selection">
        <Details seen={now} selection={selection} />
      </section>
    </>
  );
}

function Details({ seen: now, selection }: { seen: Seen; selection: Selection | null }) {
  const layer = selection?.layer;
  const index = selection?.index ?? null;
  const { value: frame, error } = useFrame<Neuron>(layer && index ? askAbout("neuron", now, { layer: layer.name, ...unitAndPlace(index) }) : null);
  const isAnswer = !layer || layer.name === "output";
  const title = !layer ? "The answer" : index ? addressOf(layer.name, index) : layer.name;
  const isCurrent = frame && layer && index && frame.data.address === title;
  return (
    <>
      <h2 class="chosen">
        {layer && index ? <button type="button" class="plain from" onClick={() => select(layer.name, null)}>{layer.name}</button> : null}
        <span aria-live="polite">{layer && index ? title.slice(layer.name.length) : title}</span>
      </h2>
      {error ? <Notice kind="error">{error}</Notice> : null}
      {isAnswer && !index ? <AnswerPanel seen={now} chosen={null} /> : null}
      {layer && !index && layer.name !== "output" ? <LayerPanel layer={layer} seen={now} /> : null}
      {isCurrent ? <NeuronPanel frame={frame} layer={layer} seen={now} /> : null}
      {layer?.name === "output" && index ? <><h3>From score to answer</h3><AnswerPanel seen={now} chosen={index[0]!} /></> : null}
    </>
  );
}

const NONE: Edge[] = [];

/** The strongest paths to what is chosen, or to the answer; backward, those of its gradient. */
function useEdges(now: Seen, selection: Selection | null): Edge[] {
  const [edges, setEdges] = useState<{ path: string | null; edges: Edge[]; of: Seen | null }>({ path: null, edges: NONE, of: null });
  const index = selection?.index;
  const target = selection && index ? { layer: selection.layer.name, ...unitAndPlace(index) } : {};
  const path = paths.value ? askAbout("paths", now, { ...target, count: paths.value }) : null;
  useEffect(() => {
    if (!path) return setEdges({ path, edges: NONE, of: now });
    const abort = new AbortController();
    get<{ edges: Edge[] }>(path, abort.signal).then(
      (found) => setEdges({ path, edges: found.edges, of: now }),
      () => undefined, // the picture stands without them
    );
    return () => abort.abort();
  }, [path]);
  const isOf = edges.of?.look.model === now.look.model && (edges.of.look.loss === null) === (now.look.loss === null);
  return isOf && path ? edges.edges : NONE;
}

/** While a network in training learns, it is looked at again, at most once a second. */
function useFollowing(): void {
  const name = model.value?.name ?? "";
  useEffect(() => {
    if (!name.startsWith("run-")) return;
    let [step, at] = [-1, 0];
    return listen(`/api/runs/${name}/events`, ["state"], (_, state: { step: number }) => {
      const isNew = step >= 0 && state.step !== step && state.step !== seen.peek()?.look.step;
      step = state.step;
      if (!isNew || document.hidden || performance.now() - at < 1000) return;
      at = performance.now();
      again.value++;
    });
  }, [name]);
}

