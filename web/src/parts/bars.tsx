import { probability } from "../numbers";

type Label = string | number;

const ROOM = 10; // labels that are all shown
const MOST = 8; // of more, those that are most probable

interface Props {
  labels: Label[];
  probabilities: ArrayLike<number>; // empty: there is no answer yet
  marked?: ReadonlySet<Label>; // labels of the conformal set
  caption: string;
}

/** Probabilities as bars in a table: each label keeps its place where there is room for all, so nothing jumps while they change. */
export function Bars({ labels, probabilities, marked, caption }: Props) {
  const order = [...labels.keys()];
  const best = order.reduce((top, k) => (probabilities[k]! > probabilities[top]! ? k : top), 0);
  const isShort = labels.length > ROOM;
  const shown = isShort ? order.sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, MOST) : order;
  return (
    <table class={isShort ? "bars ranked" : "bars"}>
      <caption>{isShort ? `${caption}: the ${MOST} most probable of ${labels.length}` : caption}</caption>
      <tbody>
        {shown.map((k, place) => (
          <tr key={isShort ? place : k} class={[k === best && probabilities[k]! > 0 ? "best" : "", marked?.has(labels[k]!) ? "marked" : ""].join(" ")}>
            <th scope="row"><span>{labels[k]}</span>{marked?.has(labels[k]!) ? <span class="unseen"> (in the set)</span> : null}</th>
            <td class="track" aria-hidden="true"><span><i style={{ transform: `scaleX(${probabilities[k] ?? 0})` }} /></span></td>
            <td class="number">{probabilities.length ? probability(probabilities[k]!) : "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
