/** Frames: JSON and arrays in one answer, as pellucid/studio/packing.py lays them out. */
import { ApiError } from "./api";

export interface Framed {
  shape: number[];
  values: Float64Array | Float32Array | Uint8Array;
}

export interface Frame<T> {
  data: T;
  arrays: Record<string, Framed>;
}

const KINDS = { float64: Float64Array, float32: Float32Array, uint8: Uint8Array };

export async function getFrame<T>(path: string, signal?: AbortSignal): Promise<Frame<T>> {
  const response = await fetch(path, signal ? { signal } : {});
  if (!response.ok) {
    const data = await response.json().catch(() => null);
    throw new ApiError(data?.error ?? `The studio answered ${response.status}.`, response.status);
  }
  return readFrame<T>(await response.arrayBuffer());
}

export function readFrame<T>(buffer: ArrayBuffer): Frame<T> {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { data, arrays } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const read = Object.entries<{ type: keyof typeof KINDS; shape: number[]; start: number }>(arrays).map(([name, one]) => {
    const count = one.shape.reduce((product, size) => product * size, 1);
    return [name, { shape: one.shape, values: new KINDS[one.type](buffer, 8 + length + one.start, count) }];
  });
  return { data, arrays: Object.fromEntries(read) };
}
