/** Questions about the row: while an answer is on its way, only the newest question waits. */
import { signal } from "@preact/signals";
import { post, silence } from "../../api";
import { said } from "../../session";
import type { Cells, Contributions, RowAnswer } from "./types";

export interface Question {
  path: string;
  cells: Cells;
}

export const answered = signal<RowAnswer | null>(null);
export const contributed = signal<Contributions | null>(null);
export const trouble = signal<string | null>(null);

export const askAnswer = newest<RowAnswer>((answer) => {
  answered.value = answer;
  trouble.value = null;
});
export const askContributions = newest<Contributions>((found) => (contributed.value = found));

let round = 0; // answers of an earlier round come too late

/** Another model: what was answered is no longer true. */
export function forget(): void {
  round++;
  answered.value = contributed.value = trouble.value = null;
}

function newest<T>(accept: (answer: T) => void): (question: Question) => Promise<void> {
  let waiting: Question | null = null;
  let isBusy = false;
  return async (question) => {
    waiting = question;
    if (isBusy) return;
    isBusy = true;
    while (waiting) {
      const { path, cells }: Question = waiting;
      waiting = null;
      const asked = round;
      try {
        const answer = await post<T>(path, cells);
        if (asked === round) accept(answer);
      } catch (error) {
        if (asked === round && silence.value === null) trouble.value = said(error); // silence is told for the whole page
      }
    }
    isBusy = false;
  };
}
