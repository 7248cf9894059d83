/** What the server says about tables, word for word (the API of /api/tables and /api/table). */
type Label = string | number;

export interface Tables {
  tables: string[]; // the penguins, the one that the studio was opened with, and those that were sent
  most_bytes: number; // of a file that is sent
}

interface Counts {
  in: number;
  used: number;
  repaired: number;
  missing: number;
  refused: number;
}

/** One row or cell that did not enter as it stands in the file. */
export interface Entry {
  row: number;
  column: string | null; // null: the whole row
  offset: number | null;
  value: string;
  rule: string;
  refused: boolean; // otherwise repaired
}

export interface ColumnLine {
  name: string;
  kind: string;
  why: string;
  missing: number;
  refused: number;
  distinct: number;
  width: number; // numbers that the network gets of it; 0: it is left out
  question: { about: "decimal" | "date_order"; text: string } | null;
}

export interface Overview {
  table: string;
  rows: Counts;
  cells: Counts;
  rules: { rule: string; refused: boolean; count: number }[];
  entries: Entry[]; // the first ones
  notes: string[];
  columns: ColumnLine[];
  suspects: { kind: string; column: string | null; columns: string[]; what: string; evidence: string }[];
  targets: string[]; // columns that can be predicted
}

/** A number, or null where it is missing; else a text: a date as 2024-02-29, "" where it is missing. */
export type Cell = number | string | null;
export type Cells = Record<string, Cell>;

/** What a column of the model takes, and where its training rows lay. */
export type Control =
  | { name: string; kind: "number"; low: number; high: number; step: number; start: number; is_known: boolean }
  | { name: string; kind: "date"; low: string; high: string; start: string; is_known: boolean }
  | { name: string; kind: "category"; values: string[]; unseen: string; start: string }
  | { name: string; kind: "ordered"; values: string[]; start: string };

export interface Controls {
  target: string; // of several their names, with commas between
  answers: string[]; // what each number of the answer is called
  columns: Control[];
}

export interface Row {
  cells: Cells;
  truth: string | null;
  part: "training" | "held out" | null; // whether the run has learned from this row
}

interface WithNotes {
  notes: Record<string, string>; // by column: missing, not understood, beyond the training rows
}

export interface LabelAnswer extends WithNotes {
  answers: "labels";
  label: Label;
  probability: number;
  probabilities: number[];
  set: Label[] | null; // the true label is among these, with the confidence asked for
  set_in_words: string | null;
}

export interface ValueAnswer extends WithNotes {
  answers: "values";
  values: { name: string; value: number; interval: [low: number, high: number] | null }[]; // of several targets, or quantiles
}

export type RowAnswer = LabelAnswer | ValueAnswer;

/** score = the sum over the columns + bias + gap */
export interface Contributions {
  columns: number[]; // in the order of the controls
  bias: number; // the score of a row whose numbers are all 0
  gap: number;
  score: number;
  label: Label | null; // whose score it is; null: of a regression
  against: Label | null; // minus that of this one
  answer: string | null; // which number of a regression it explains
  in_units: boolean; // whether the score is the answer itself, in the units of the target
  is_asked: boolean; // whether the label was chosen, and is not the answer
  method: string;
  steps: number;
  sample: string | null; // the row as a word of the address of Look inside, if it is short enough
}
