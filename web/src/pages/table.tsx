import { useEffect } from "preact/hooks";
import { Notice } from "../parts/notice";
import { parameter } from "../url";
import { useGet } from "../use-get";
import { Account, Questions } from "./table/account";
import { Choices } from "./table/choices";
import { Columns, Target } from "./table/columns";
import { Opener } from "./table/opener";
import { OneRow } from "./table/row";
import { aboutTable, chooseTable, chosen, run, table } from "./table/state";
import { Learning, Start } from "./table/training";
import type { Overview } from "./table/types";
import { Keep } from "./train/control/keep";
import { loadRuns } from "./train/control/live";
import { Message } from "./train/control/message";
import "./train/train.css";
import "./table/table.css";

/** The page Table: from a file to a network whose every answer is a sum over the columns. */
export function Table() {
  useEffect(() => void loadRuns(), []);
  const { value, error } = useGet<Overview>(table.value ? aboutTable("/api/table/overview") : null);
  const overview = value?.table === table.value ? value : null;
  const isAsked = overview?.columns.some(({ question }) => question) ?? false;
  const learned = run.value;
  return (
    <>
      <h1>Table</h1>
      <p class="lede">Open a table, see what is in it, let a network learn one column from the others, and ask it why.</p>
      <div class="table-page">
        <Opener>
          {table.value && (overview || error) ? <Questions overview={error ? null : overview} isRefused={error !== null} /> : null}
        </Opener>
        {table.value && error ? <Refused error={error} /> : null}
        {table.value && !overview && !error ? <p class="waiting" role="status">Looking at every cell of {table.value} ...</p> : null}
        {overview && !error ? (
          <>
            <Account overview={overview} />
            <Columns overview={overview} />
          </>
        ) : null}
        {(overview && !error) || learned ? (
          <section class="panel learning" aria-labelledby="learning-title">
            <h2 id="learning-title">Learn</h2>
            {overview && !error ? (
              <div class="row between">
                <Target overview={overview} />
                <Start isReady={parameter("target") !== "" && !isAsked} hint={isAsked ? "First answer what the cells do not tell." : "First choose what is to be predicted."} />
              </div>
            ) : null}
            {overview && !error && parameter("target") ? <Choices overview={overview} /> : null}
            <Message run={learned} />
            {learned ? <Learning run={learned} /> : null}
          </section>
        ) : null}
        {chosen.value ? <OneRow rows={overview?.rows.in ?? null} /> : null}
        {learned ? <div class="train keep-table"><Keep run={learned} /></div> : null}
      </div>
    </>
  );
}

/** Why the table cannot be read, and the way back to how it was found. */
function Refused({ error }: { error: string }) {
  const isChanged = ["target", "also", "kinds", "drop", "decimal", "date_order", "encoding"].some((name) => parameter(name) !== "");
  return (
    <div class="row">
      <Notice kind="error">{error}</Notice>
      {isChanged ? <button type="button" onClick={() => chooseTable(table.value)}>Read it as it was found</button> : null}
    </div>
  );
}
