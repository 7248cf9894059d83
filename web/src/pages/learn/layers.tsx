import { Segments } from "../../parts/segments";
import { parameter, setParameters } from "../../url";
import { PlaneRun } from "./plane-run";

const SHAPES = ["none", "8", "32", "8,8", "32,32"] as const;

/** Two spirals, and hidden layers to choose: how many bends it takes. */
export function Layers() {
  const chosen = SHAPES.find((shape) => shape === parameter("hidden", "none")) ?? "none";
  const hidden = chosen === "none" ? [] : chosen.split(",").map(Number);
  return (
    <>
      <Segments
        legend="Neurons in the hidden layers" name="hidden" value={chosen} onChange={(hidden) => setParameters({ hidden })}
        options={SHAPES.map((shape) => [shape, shape === "none" ? "no hidden layer" : shape.replace(",", " + ")])}
      />
      <p class="sum">{counted([2, ...hidden, 2])}</p>
      <PlaneRun experiment={{ data: "spirals", hidden }} begin="Train" />
    </>
  );
}

/** How many parameters the layers have: a weight for each pair of neighbours, and a bias for each neuron. */
function counted(sizes: number[]): string {
  const pairs = sizes.slice(1).map((units, i) => [sizes[i]!, units] as const);
  const total = pairs.reduce((sum, [inputs, units]) => sum + (inputs + 1) * units, 0);
  return `${pairs.map(([inputs, units]) => `${inputs}·${units} + ${units}`).join(" + ")} = ${total} parameters to learn, for two scores`;
}
