/** Talking to the server: JSON there and back, and a failure as the sentence that the server says. */
import { signal } from "@preact/signals";

/** Why the server answers nothing at all: it was stopped, or it was started anew with another token. */
export const silence = signal<string | null>(null);
const STOPPED = "The studio does not answer. It seems to have been stopped. Start it again with: pellucid studio";

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal ? { signal } : {});
}

export function post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return ask<T>(path, { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) });
}

/** Sends a file or a picture as it is. */
export function send<T>(path: string, body: Blob, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/octet-stream" };
  return ask<T>(path, { method: "POST", headers, body, ...(signal ? { signal } : {}) });
}

/** It is done even if the page is being closed. */
export function remove<T>(path: string): Promise<T> {
  return ask<T>(path, { method: "DELETE", keepalive: true });
}

async function ask<T>(path: string, options: RequestInit): Promise<T> {
  const response = await reach(path, options);
  return (await response.json().catch((error) => {
    if (options.signal?.aborted) throw error; // given up while it came
    return null;
  })) as T;
}

/** The answer of the studio; what is not well is thrown as its sentence. */
async function reach(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    silence.value = STOPPED;
    throw new ApiError(STOPPED, 0);
  }
  if (response.ok) return response;
  const data = await response.json().catch(() => null);
  if (response.status === 403) silence.value = data?.error ?? "The studio was restarted. Open the link that it printed in the terminal.";
  throw new ApiError(data?.error ?? `The studio answered with error ${response.status}.`, response.status);
}

/** JSON and arrays that come in one answer (Python: `pellucid.core.packing.framed`). */
export interface Frame<T> {
  data: T;
  arrays: Record<string, Block>;
}

export interface Block {
  shape: number[];
  values: Float64Array | Float32Array | Uint8Array;
}

const TYPES = { float64: Float64Array, float32: Float32Array, uint8: Uint8Array };

export async function getFrame<T>(path: string, signal?: AbortSignal): Promise<Frame<T>> {
  const content = await (await reach(path, signal ? { signal } : {})).arrayBuffer();
  const start = 8 + Number(new DataView(content).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 8, start - 8)));
  const arrays: Record<string, Block> = {};
  for (const [name, one] of Object.entries<{ type: keyof typeof TYPES; shape: number[]; start: number }>(header.arrays)) {
    const count = one.shape.reduce((product, size) => product * size, 1);
    arrays[name] = { shape: one.shape, values: new TYPES[one.type](content, start + one.start, count) };
  }
  return { data: header.data, arrays };
}

/** An array of numbers as the server sends it: base64 of little-endian numbers, row by row. */
export interface Packed {
  shape: number[];
  float32?: string;
  uint8?: string;
}

export interface Numbers {
  shape: number[];
  values: Float32Array | Uint8Array;
}

export function unpack(packed: Packed): Numbers {
  const bytes = Uint8Array.from(atob(packed.float32 ?? packed.uint8 ?? ""), (letter) => letter.charCodeAt(0));
  return { shape: packed.shape, values: packed.float32 === undefined ? bytes : new Float32Array(bytes.buffer) };
}

/**
 * Listens to server-sent events until the returned function is called; `each` gets the name of an event and its data,
 * `opened` is called when they begin to come, for the first time or again. A page that nobody sees does not listen: all
 * tabs together have six connections, and a look costs the training time.
 */
export function listen(path: string, names: string[], each: (name: string, data: any) => void, opened = () => {}): () => void {
  let source: EventSource | null = null;
  const attend = () => {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource(path);
    for (const name of names) source.addEventListener(name, (event) => each(name, JSON.parse((event as MessageEvent).data)));
    source.onopen = opened;
    source.onerror = () => silence.value ?? get("/api/session").catch(() => undefined); // it may say why nothing comes any more
  };
  attend();
  document.addEventListener("visibilitychange", attend);
  return () => {
    document.removeEventListener("visibilitychange", attend);
    source?.close();
  };
}
