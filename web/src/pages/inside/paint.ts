/** Drawing the network on canvas. Each layer is made once as a small image, a pixel a number, and put on the page enlarged. */
import { css, diverging, ink, type Rgb } from "../../colors";
import { probability } from "../../numbers";
import { painter } from "./colors";
import { type Box, boxOf, type Column, mapBox } from "./layout";
import { type Arrays, type Edge, flatOf, type Look } from "./types";

export interface Scene {
  columns: Column[];
  look: Look;
  arrays: Arrays;
  values: (layer: string) => ArrayLike<number>; // what is shown of each layer
  scaleOf: (layer: string) => number; // the size that has the full color
  isBackward: boolean;
  edges: Edge[];
  dark: boolean;
  unit: number; // a 16th of the text size
}

interface Curve {
  edge: Edge;
  from: { column: Column; flat: number };
  to: { column: Column; flat: number };
  width: number;
}

const THINNEST = 0.75;
const THICKEST = 5.5;
const LINED = 5; // cells of at least this size have lines between them

export class Painter {
  private sprites = new Map<string, HTMLCanvasElement>();
  private curves: Curve[] = [];
  private colors = { ink: "", quiet: "", paper: "", rule: "", blue: "", font: "" };

  constructor(readonly scene: Scene) {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    this.colors = { ink: of("--ink"), quiet: of("--quiet"), paper: of("--raised"), rule: of("--rule"), blue: of("--blue"), font: `${13 * scene.unit}px ${of("--sans") || "sans-serif"}` };
    this.curves = this.curvesOf(scene.edges);
  }

  /** All layers that are in sight, and the paths. */
  base(context: CanvasRenderingContext2D, scroll: number, width: number): void {
    const { columns } = this.scene;
    context.save();
    context.translate(-scroll, 0);
    context.imageSmoothingEnabled = false;
    for (const column of columns) if (isInSight(column, scroll, width)) this.column(context, column);
    this.stroke(context, this.curves, 0.8);
    context.restore();
  }

  /** What moves above them: the number that is pointed at with its paths, and the one that is chosen. */
  above(context: CanvasRenderingContext2D, scroll: number, pointed: Spot | null, chosen: Spot | null): void {
    context.save();
    context.translate(-scroll, 0);
    if (pointed) {
      const touching = this.curves.filter(({ from, to }) => isAt(from, pointed) || isAt(to, pointed));
      this.stroke(context, touching, 1, 1.5);
      this.ring(context, pointed, this.colors.quiet, 1.5);
    }
    if (chosen) this.ring(context, chosen, this.colors.ink, 2.5);
    context.restore();
  }

  private ring(context: CanvasRenderingContext2D, { column, flat }: Spot, color: string, width: number): void {
    const boxes = column.kind === "maps" ? [mapBox(column, flat % (column.layer.shape[2] ?? 1)), boxOf(column, flat)] : [boxOf(column, flat)];
    for (const box of boxes) {
      const { x, y, width: w, height: h } = grown(box, box.width < 6 ? 2.5 : 1);
      context.lineWidth = width + 2;
      context.strokeStyle = this.colors.paper;
      context.strokeRect(x, y, w, h);
      context.lineWidth = width;
      context.strokeStyle = color;
      context.strokeRect(x, y, w, h);
    }
  }

  private column(context: CanvasRenderingContext2D, column: Column): void {
    if (column.kind === "answers") return this.answers(context, column);
    const sprite = this.spriteOf(column);
    if (column.kind === "cells") {
      const { x, y, cell, across, layer } = column;
      context.drawImage(sprite, x, y, sprite.width * cell, sprite.height * cell);
      if (cell >= LINED) lines(context, column, sprite.height, this.colors.paper);
      if (cell >= 18 && layer.shape[0]! <= 4) this.numbers(context, column, across);
      return;
    }
    const [rows, columns, channels = 1] = column.layer.shape as [number, number, number?];
    context.imageSmoothingEnabled = column.cell < 1;
    for (let channel = 0; channel < channels; channel++) {
      const { x, y, width, height } = mapBox(column, channel);
      const [sx, sy] = [(channel % column.across) * columns, Math.floor(channel / column.across) * rows];
      context.drawImage(sprite, sx, sy, columns, rows, x, y, width, height);
    }
    context.imageSmoothingEnabled = false;
    context.strokeStyle = this.colors.rule;
    context.lineWidth = 1;
    for (let channel = 0; channel < channels; channel++) {
      const { x, y, width, height } = mapBox(column, channel);
      context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    }
  }

  /** The names of a few inputs, such as x1 and x2. */
  private numbers(context: CanvasRenderingContext2D, column: Column, across: number): void {
    if (column.layer.name !== "input" || across !== 1) return;
    context.font = this.colors.font;
    context.fillStyle = this.colors.quiet;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let i = 0; i < column.layer.shape[0]!; i++) {
      const box = boxOf(column, i);
      context.fillText(`x${i + 1}`, box.x - 6, box.y + box.height / 2);
    }
  }

  /** The last layer: color of the score, label, probability. */
  private answers(context: CanvasRenderingContext2D, column: Column): void {
    const { look, isBackward, scaleOf, values, dark, unit } = this.scene;
    const scores = values(column.layer.name);
    const scale = scaleOf(column.layer.name);
    const isYesOrNo = look.answer.kind === "sigmoid";
    context.font = this.colors.font;
    context.textBaseline = "middle";
    for (let k = 0; k < column.layer.shape[0]!; k++) {
      const box = boxOf(column, k);
      const row = isYesOrNo ? look.answer.rows[1] : look.answer.rows[k];
      const middle = box.y + box.height / 2;
      const side = Math.min(22 * unit, box.height - 4);
      context.fillStyle = css(diverging(scores[k]! / scale, dark));
      context.fillRect(box.x + 2, middle - side / 2, side, side);
      context.strokeStyle = this.colors.rule;
      context.lineWidth = 1;
      context.strokeRect(box.x + 1.5, middle - side / 2 - 0.5, side + 1, side + 1);
      const isBest = look.answer.kind === "softmax" && k === look.answer.best;
      context.font = isBest ? `600 ${this.colors.font}` : this.colors.font;
      context.fillStyle = isBest ? this.colors.ink : this.colors.quiet;
      context.textAlign = "left";
      const p = isBackward ? null : (row?.probability ?? null)
      context.fillText(fitting(context, String(row?.label ?? k), (p === null ? 140 : 46) * unit), box.x + side + 9, middle);
      if (p === null) continue;
      context.textAlign = "right";
      context.fillText(probability(p), box.x + box.width - 2, middle);
      const left = box.x + side + 60 * unit;
      const room = box.x + box.width - 54 * unit - left;
      context.fillStyle = this.colors.rule;
      context.fillRect(left, middle - 3, room, 6);
      context.fillStyle = this.colors.blue;
      context.fillRect(left, middle - 3, room * p, 6);
    }
  }

  private spriteOf(column: Column): HTMLCanvasElement {
    const name = column.layer.name;
    let sprite = this.sprites.get(name);
    if (!sprite) {
      sprite = this.isPixels(name) ? this.pixels(column) : this.colored(column);
      this.sprites.set(name, sprite);
    }
    return sprite;
  }

  /** Whether a layer is shown as the picture that it is. */
  private isPixels(layer: string): boolean {
    const { look, arrays, isBackward } = this.scene;
    return layer === "input" && !isBackward && look.is_pixels && arrays["input"]!.shape.length > 1;
  }

  private pixels(column: Column): HTMLCanvasElement {
    const { values, shape } = this.scene.arrays["input"]!;
    const channels = shape[2] ?? 1;
    return image(column, (_, flat) => {
      const gray: Rgb = ink(values[flat]! / 255, this.scene.dark);
      return channels === 1 ? gray : [0, 1, 2].map((c) => (c === flat % channels ? values[flat]! : 0)) as unknown as Rgb;
    });
  }

  private colored(column: Column): HTMLCanvasElement {
    const { values, scaleOf, dark } = this.scene;
    const numbers = values(column.layer.name);
    return image(column, null, (pixels) => {
      const paint = painter(pixels, scaleOf(column.layer.name), dark);
      return (at, flat) => paint(at, numbers[flat]!);
    });
  }

  private curvesOf(edges: Edge[]): Curve[] {
    const columns = new Map(this.scene.columns.map((column) => [column.layer.name, column]));
    const largest = new Map<string, number>();
    for (const { layer, share } of edges) largest.set(layer, Math.max(largest.get(layer) ?? 0, share));
    return edges
      .flatMap((edge) => {
        const [source, target] = [columns.get(edge.source), columns.get(edge.layer)];
        if (!source || !target) return [];
        const size = edge.share / largest.get(edge.layer)!;
        const from = { column: source, flat: flatOf(source.layer.shape, edge.start) };
        return { edge, from, to: { column: target, flat: flatOf(target.layer.shape, edge.end) }, width: THINNEST + (THICKEST - THINNEST) * size };
      })
      .sort((a, b) => a.width - b.width);
  }

  private stroke(context: CanvasRenderingContext2D, curves: Curve[], alpha: number, more = 0): void {
    const colors = [css(diverging(-1, this.scene.dark)), css(diverging(1, this.scene.dark))] as const;
    for (const { edge, from, to, width } of curves) {
      context.globalAlpha = alpha * (0.45 + (0.55 * width) / THICKEST);
      const [a, b] = [boxOf(from.column, from.flat), boxOf(to.column, to.flat)];
      const [x1, y1] = [a.x + (from.column.kind === "maps" ? a.width / 2 : a.width), a.y + a.height / 2];
      const [x2, y2] = [b.x + (to.column.kind === "maps" ? b.width / 2 : 0), b.y + b.height / 2];
      const bend = Math.max(12, (x2 - x1) / 2);
      context.strokeStyle = edge.value < 0 ? colors[0] : colors[1];
      context.lineWidth = width + more;
      context.beginPath();
      context.moveTo(x1, y1);
      context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

export interface Spot {
  column: Column;
  flat: number;
}

function isAt(a: Spot, b: Spot): boolean {
  return a.column.layer.name === b.column.layer.name && a.flat === b.flat;
}

function isInSight({ x, width }: Box, scroll: number, view: number): boolean {
  return x + width >= scroll && x <= scroll + view;
}

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** The numbers of a layer as an image: cells in rows of `across`, or maps side by side. */
function image(
  column: Column,
  color: ((at: number, flat: number) => Rgb) | null,
  write?: (pixels: Uint8ClampedArray) => (at: number, flat: number) => void,
): HTMLCanvasElement {
  const { layer, across } = column;
  const [rows, columns, channels = 1] = layer.shape.length > 1 ? (layer.shape as [number, number, number?]) : [1, 1, layer.shape[0]!];
  const canvas = document.createElement("canvas");
  canvas.width = across * columns;
  canvas.height = Math.ceil(channels / across) * rows;
  const context = canvas.getContext("2d")!;
  const picture = context.createImageData(canvas.width, canvas.height);
  const put = write?.(picture.data) ?? ((at, flat) => picture.data.set([...color!(at, flat), 255], 4 * at));
  for (let channel = 0; channel < channels; channel++) {
    const start = Math.floor(channel / across) * rows * canvas.width + (channel % across) * columns;
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < columns; c++) put(start + row * canvas.width + c, (row * columns + c) * channels + channel);
    }
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

function lines(context: CanvasRenderingContext2D, { x, y, cell, across, width, height }: Column, rows: number, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = cell >= 9 ? 1.5 : 1;
  context.beginPath();
  for (let i = 0; i <= across; i++) {
    context.moveTo(x + i * cell, y);
    context.lineTo(x + i * cell, y + height);
  }
  for (let i = 0; i <= rows; i++) {
    context.moveTo(x, y + i * cell);
    context.lineTo(x + width, y + i * cell);
  }
  context.stroke();
}

function fitting(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  while (text.length > 1 && context.measureText(`${text}…`).width > room) text = text.slice(0, -1);
  return `${text}…`;
}
