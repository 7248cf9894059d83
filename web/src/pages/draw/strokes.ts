/** Strokes on a square paper, in units of its side: (0, 0) is its upper left corner, (1, 1) the lower right. */
export interface Point {
  x: number;
  y: number;
  width: number;
}
export type Stroke = Point[];

export const INK = "#000000";
export const PAPER = "#ffffff";

/** A pen pressed harder draws wider; a mouse or a finger has no pressure. */
export function widthOf(thickness: number, pointerType: string, pressure: number): number {
  return pointerType === "pen" && pressure > 0 ? thickness * (0.4 + 1.2 * pressure) : thickness;
}

/** Paints a stroke, from its point number `from` on, on a canvas whose side is `side` pixels. */
export function paint(context: CanvasRenderingContext2D, side: number, stroke: Stroke, from = 0): void {
  context.strokeStyle = context.fillStyle = INK;
  context.lineCap = context.lineJoin = "round";
  stroke.slice(from).forEach((point, i) => {
    const before = stroke[Math.max(0, from + i - 1)]!;
    context.lineWidth = point.width * side;
    context.beginPath();
    context.moveTo(before.x * side, before.y * side);
    context.lineTo(point.x * side, point.y * side + 1e-3); // a line without length would have no caps
    context.stroke();
  });
}

/** Paints the whole paper: what lies on it, as large as it fits, and the strokes over that. */
export function paintAll(context: CanvasRenderingContext2D, side: number, strokes: Stroke[], under: HTMLCanvasElement | ImageBitmap | null): void {
  context.fillStyle = PAPER;
  context.fillRect(0, 0, side, side);
  if (under) {
    const scale = side / Math.max(under.width, under.height);
    const [width, height] = [under.width * scale, under.height * scale];
    context.imageSmoothingQuality = "high";
    context.drawImage(under, (side - width) / 2, (side - height) / 2, width, height);
  }
  for (const stroke of strokes) paint(context, side, stroke);
}

/** The picture as a file of the simplest kind (binary PGM): made at once, where a browser takes its time to write a PNG. */
export function greymap({ width, height, data }: ImageData): Blob {
  const grey = Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]!);
  return new Blob([`P5 ${width} ${height} 255\n`, grey], { type: "image/x-portable-graymap" });
}
