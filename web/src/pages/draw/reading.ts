/** What the network reads: asked of the server, one question at a time. */
import { signal } from "@preact/signals";
import { get, type Packed, send, silence } from "../../api";
import { said } from "../../session";
import { address, setParameters } from "../../url";

type Label = string | number;

interface OfSample {
  sample: string; // its word in the address
  seen: Packed; // the network's input
  doubt: string | null; // why the picture may show nothing that the network knows
  milliseconds: number; // that the server took
  truth?: Label | null; // where it is known
}

/** What a regression answers. */
export interface ValueReading extends OfSample {
  answers: "values";
  values: number[];
  low: number[] | null; // the true values lie between these, with the confidence asked for
  high: number[] | null;
}

/** What a classification answers. */
export interface LabelReading extends OfSample {
  answers: "labels";
  label: Label;
  probability: number;
  probabilities: number[];
  uncalibrated: number[]; // without the temperature
  temperature: number | null;
  set: Label[] | null; // the true label is among these, with the confidence asked for
  set_in_words: string | null;
  is_sure: boolean | null;
}

export type Reading = LabelReading | ValueReading;

/** How to read: with which network, and how sure to be; "" for no set of labels. */
export interface Manner {
  model: string;
  confidence: string;
}

export const reading = signal<Reading | null>(null);
export const trouble = signal<string | null>(null);
export const settled = signal<Reading | null>(null); // the reading when a stroke ends: what is announced, and in the address
export const delay = signal<number | null>(null); // milliseconds from the pointer to the painted bars

interface Question {
  manner: Manner;
  picture: () => Blob; // taken when its turn comes, so that it is the newest
  since: number | null; // when the pointer moved
  settle?: (answer: Reading) => void; // for a picture that is whole: a stroke has ended, a file was dropped
}

let waiting: Question | null = null;
let isBusy = false;
let round = 0; // answers of an earlier round come too late

/** Reads a picture. While an answer is on its way, only the newest question waits. */
export async function ask(question: Question): Promise<void> {
  waiting = question;
  if (isBusy) return;
  isBusy = true;
  while (waiting) {
    const { manner, picture, since, settle }: Question = waiting;
    waiting = null;
    const asked = round;
    await attempt(asked, async () => {
      const answer = await send<Reading>(address("/api/read", query(manner)), picture());
      if (asked !== round) return;
      accept(answer, settle !== undefined);
      settle?.(answer);
      if (settle) setParameters({ sample: answer.sample });
      if (since !== null) afterPaint(() => measure(since));
    });
  }
  isBusy = false;
}

/** Reads a sample by its word; gives it, or null if it is not there or no longer wanted. */
export async function show(word: string, manner: Manner): Promise<Reading | null> {
  const asked = ++round;
  let answer: Reading | null = null;
  await attempt(asked, async () => {
    const found = await get<Reading>(address("/api/sample", { ...query(manner), sample: word }));
    if (asked !== round) return;
    accept(found, true);
    answer = found;
  });
  return answer;
}

/** Nothing is to be read. */
export function forget(): void {
  round++;
  waiting = null;
  reading.value = settled.value = trouble.value = delay.value = null;
}

function query({ model, confidence }: Manner) {
  return { model, confidence: confidence || null };
}

function accept(answer: Reading, settles: boolean): void {
  reading.value = answer;
  trouble.value = null;
  if (settles) settled.value = answer;
}

async function attempt(asked: number, question: () => Promise<void>): Promise<void> {
  try {
    await question();
  } catch (error) {
    if (asked === round && silence.value === null) trouble.value = said(error); // silence is told for the whole page
  }
}

function measure(since: number): void {
  performance.clearMeasures("stroke to bars"); // they would pile up; whoever observes them has seen the earlier ones
  delay.value = performance.measure("stroke to bars", { start: since }).duration;
}

/** Calls back when the frame that is now prepared has been painted. */
function afterPaint(then: () => void): void {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = then;
    channel.port2.postMessage(null);
  });
}
