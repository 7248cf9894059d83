import { probability, short } from "../../numbers";
import { LongTable, type TableColumn } from "./long-table";
import { type Seen, select, targetOf } from "./state";

const TITLES = { shifted: "z − max", exponential: "e^(z − max)", probability: "probability", untempered: "with T = 1" } as const;

/* As many columns as the panel has room for: on the way to the probabilities, and on that to the loss. */
const TO_PROBABILITY = ["shifted", "exponential", "probability"] as const;
const TO_TEMPERED = ["exponential", "probability", "untempered"] as const;
const TO_LOSS = ["probability"] as const;

/** The end of the road: from scores to probabilities, and to the loss, term by term. */
export function AnswerPanel({ seen, chosen }: { seen: Seen; chosen: number | null }) {
  const { answer, loss, truth } = seen.look;
  const label = answer.kind === "identity" ? answer.rows.map((row) => short(row.score)).join(", ") : String(answer.label);
  const best = answer.rows[answer.best]!;
  const row = answer.rows[answer.kind === "sigmoid" ? 1 : (chosen ?? answer.best)] ?? best;
  const rows = answer.rows;
  const order = rows.map((_, k) => k).sort((a, b) => rows[b]!.score - rows[a]!.score);
  const columns: TableColumn[] = [
    {
      title: answer.kind === "identity" ? "value" : "label",
      cell: (k) => answer.kind === "sigmoid" ? String(rows[k]!.label) : <button type="button" class="plain from" onClick={() => select("output", [k])}>{String(rows[k]!.label)}</button>,
    },
    { title: "score z", cell: (k) => short(rows[k]!.score) },
  ];
  const terms = loss?.terms;
  for (const name of terms ? TO_LOSS : answer.temperature === null ? TO_PROBABILITY : TO_TEMPERED) {
    const own = terms && rows[0]?.untempered != null ? "untempered" : name; // the loss knows no temperature
    if (rows[0]?.[own] != null) columns.push({ title: TITLES[own], cell: (k) => short(rows[k]![own]!) });
  }
  if (terms && answer.kind === "softmax") {
    columns.push({ title: "target t", cell: (k) => short(loss.targets[k]!) }, { title: "loss term", cell: (k) => short(terms[k]!) });
  }
  return (
    <>
      {answer.kind === "identity" ? <p class="readout">{label}</p> : (
        <p class="readout">{label}<span>{probability(best.probability ?? 0)}</span></p>
      )}
      {truth !== null && answer.kind !== "identity" ? (
        <p class="quiet">{answer.kind === "sigmoid" || truth !== answer.best ? `The truth is ${String(rows[truth]?.label ?? truth)}.` : "That is correct."}</p>
      ) : null}
      {answer.kind === "softmax" ? <h3>Softmax, term by term</h3> : null}
      {answer.kind === "sigmoid" ? <h3>Sigmoid</h3> : null}
      {row.line ? <p class="formula sum">{row.line}</p> : null}
      {answer.temperature !== null ? (
        <p class="hint">This network is calibrated: its scores are divided by the temperature T = {short(answer.temperature)} before the {answer.kind}.</p>
      ) : null}
      {loss ? (
        <>
          <h3>Loss if {answer.kind === "identity" ? `${targetOf(seen.look)} is` : `${String(rows[Number(targetOf(seen.look))]?.label)} is`} right</h3>
          <p class="formula sum">{loss.line}</p>
          {answer.kind === "softmax" ? <p class="hint">Its gradient with respect to each score is probability − target: the output column of the picture.</p> : null}
        </>
      ) : null}
      <LongTable caption={`Scores${answer.kind === "identity" ? "" : " and probabilities"}, highest first`} columns={columns} order={order} />
    </>
  );
}
