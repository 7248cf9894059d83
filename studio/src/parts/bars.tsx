import { percent } from "../numbers";

interface Props {
  labels: (string | number)[];
  probabilities: ArrayLike<number>;
  marked?: ReadonlySet<string | number>; // labels of the conformal set
  caption: string;
}

/** Probabilities as bars in a table: the same place for each label, so that nothing jumps while they change. */
export function Bars({ labels, probabilities, marked, caption }: Props) {
  const best = labels.reduce<number>((top, _, k) => (probabilities[k]! > probabilities[top]! ? k : top), 0);
  return (
    <table class="bars">
      <caption>{caption}</caption>
      <tbody>
        {labels.map((label, k) => (
          <tr key={label} class={[k === best ? "best" : "", marked?.has(label) ? "marked" : ""].join(" ")}>
            <th scope="row">{label}</th>
            <td class="track" aria-hidden="true"><i style={{ transform: `scaleX(${probabilities[k] ?? 0})` }} /></td>
            <td class="number">{percent(probabilities[k] ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
