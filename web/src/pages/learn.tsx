import { Notice } from "../parts/notice";
import { model, type ModelSummary, session } from "../session";
import { address, follow, parameter, path } from "../url";
import { CHAPTERS } from "./learn/chapters";
import "./learn/learn.css";

/** Eight short chapters: text, something to move on the real network, and one question. */
export function Learn() {
  const number = Math.min(CHAPTERS.length, Math.max(1, Number(path.value.split("/")[2]) || 1));
  const chapter = CHAPTERS[number - 1]!;
  const Widget = chapter.widget;
  return (
    <div class="learn">
      <nav aria-label="Chapters" class="chapters">
        <ol>
          {CHAPTERS.map((one, i) => (
            <li key={one.title}>
              <a href={to(i + 1)} onClick={follow} aria-current={i + 1 === number ? "page" : undefined}>{one.title}</a>
            </li>
          ))}
        </ol>
      </nav>
      <article key={number}>
        <h1>{chapter.heading}</h1>
        {chapter.text.map((paragraph) => <p key={paragraph}>{paragraph}</p>)}
        <section class="panel widget" aria-labelledby="widget"><h2 id="widget" class="unseen">Try it on the network</h2>{chapter.readsDigits && !namesDigits(model.value) ? <Digits /> : <Widget />}</section>
        <section class="question" aria-labelledby="question">
          <h2 id="question" class="unseen">A question</h2>
          <p><strong>Try:</strong> {chapter.question}</p>
          <details><summary>Answer</summary><p>{chapter.answer}</p></details>
        </section>
        <nav aria-label="Next chapter" class="row turns">
          {number > 1 ? <a class="button" rel="prev" href={to(number - 1)} onClick={follow}>{CHAPTERS[number - 2]!.title}</a> : null}
          {number < CHAPTERS.length ? (
            <a class="button first" rel="next" href={to(number + 1)} onClick={follow}>Next: {CHAPTERS[number]!.title}</a>
          ) : (
            <a class="button first" href="/train" onClick={follow}>Train a network of your own</a>
          )}
        </nav>
      </article>
    </div>
  );
}

function namesDigits(one: ModelSummary | null): boolean {
  return one?.reads === "digits" && one.answers === "labels";
}

function to(number: number): string {
  return address(`/learn/${number}`, { model: parameter("model") || null, sample: parameter("sample") || null });
}

/** In place of a widget that goes with a digit through the network, where the chosen one reads something else. */
function Digits() {
  const other = session.value!.models.find(namesDigits);
  if (!other) return <Notice>This chapter needs a network that reads digits. Start <code>pellucid studio</code> without a file: it brings one.</Notice>;
  return (
    <Notice>
      This chapter needs a network that reads digits.{" "}
      <a href={address(path.value, { model: other.name })} onClick={follow}>Continue with {other.title}</a>
    </Notice>
  );
}
