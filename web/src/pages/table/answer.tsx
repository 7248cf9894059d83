/** The answer for the row: a label with its probability, or a number with its interval. */
import { useEffect, useState } from "preact/hooks";
import { probability, readable } from "../../numbers";
import { Bars } from "../../parts/bars";
import { Notice } from "../../parts/notice";
import type { ModelSummary } from "../../session";
import { answered, trouble } from "./asking";
import type { Controls, RowAnswer } from "./types";

const A_MOMENT = 500; // milliseconds without a change, after which the answer is announced

const FEW = 4; // labels, of which the answer stays in sight on a narrow screen

export function Answer({ model, controls: { target, answers } }: { model: ModelSummary; controls: Controls }) {
  const now = answered.value;
  const words = now ? inWords(now) : null;
  const said = useSettled(words ? `${answers.length > 1 ? "" : `${target}: `}${words.headline}${words.share ? `, ${words.share}` : ""}. ${words.detail}` : "");
  return (
    <section class={model.labels.length <= FEW ? "panel answer few" : "panel answer"} aria-labelledby="answer-title">
      <h2 id="answer-title">{target}</h2>
      {answers.length > 1 ? <Several answers={answers} now={now} /> : (
        <>
          <p class="readout" aria-hidden="true">{words ? <>{words.headline}{words.share ? <span>{words.share}</span> : null}</> : <span class="nothing">–</span>}</p>
          <p class="detail" aria-hidden="true">{words?.detail || "\u00a0"}</p>
        </>
      )}
      <p class="unseen" role="status">{said}</p>
      {trouble.value ? <Notice kind="error">{trouble.value}</Notice> : null}
      {model.answers === "labels" ? (
        <Bars
          caption="Probability of each label" labels={model.labels} probabilities={now?.answers === "labels" ? now.probabilities : []}
          marked={new Set(now?.answers === "labels" ? (now.set ?? []) : [])}
        />
      ) : null}
    </section>
  );
}

/** Several targets, or quantiles: each with its number, and the interval of those that have one. */
function Several({ answers, now }: { answers: string[]; now: RowAnswer | null }) {
  const values = now?.answers === "values" ? now.values : [];
  const ends = (k: number) => values[k]?.interval?.map((end) => readable(end)).join(" to ") ?? "–";
  const hasEnds = values.some(({ interval }) => interval);
  return (
    <table class="data several">
      <caption class="unseen">The answers</caption>
      <thead><tr><td /><th scope="col" class="number">answer</th>{hasEnds ? <th scope="col" class="number">true value between</th> : null}</tr></thead>
      <tbody>
        {answers.map((name, k) => (
          <tr key={name}><th scope="row">{name}</th><td class="number value">{values[k] ? readable(values[k].value) : "–"}</td>{hasEnds ? <td class="number">{ends(k)}</td> : null}</tr>
        ))}
      </tbody>
    </table>
  );
}

interface Words {
  headline: string;
  share: string | null;
  detail: string;
}

function inWords(now: RowAnswer): Words {
  if (now.answers === "labels") return { headline: String(now.label), share: probability(now.probability), detail: now.set_in_words ? `${now.set_in_words}.` : "" };
  const [one, ...others] = now.values;
  if (others.length) return { headline: now.values.map(({ name, value }) => `${name} ${readable(value)}`).join(", "), share: null, detail: "" };
  return { headline: readable(one!.value), share: null, detail: interval(one!.interval) };
}

function interval(interval: [number, number] | null): string {
  return interval ? `The true value lies between ${readable(interval[0])} and ${readable(interval[1])}, as often as the confidence says.` : "";
}

/** A text once it has stood for a moment: what is announced while a slider moves would be noise. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), A_MOMENT);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
