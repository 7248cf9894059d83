/** Marks of classes: a color and a shape each. Training points are filled, validation points hollow. */
import { CLASS_COLORS, css, type Rgb } from "../../../colors";

export const CLASS_LETTERS = ["A", "B", "C", "D"] as const;

export const classColor = (label: number): Rgb => CLASS_COLORS[label % CLASS_COLORS.length]!;

/** Draws the mark of a class around (x, y), `size` from its middle to its edge. */
export function drawMark(
  context: CanvasRenderingContext2D,
  label: number,
  x: number,
  y: number,
  size: number,
  filled: boolean,
  paper: string,
): void {
  context.beginPath();
  trace(context, label % 4, x, y, size);
  context.lineWidth = size * 0.85;
  context.strokeStyle = paper; // a rim that parts it from the ground and from its neighbors
  context.stroke();
  context.fillStyle = filled ? css(classColor(label)) : paper;
  context.fill();
  if (filled) return;
  context.lineWidth = size * 0.45;
  context.strokeStyle = css(classColor(label));
  context.stroke();
}

function trace(context: CanvasRenderingContext2D, shape: number, x: number, y: number, size: number): void {
  if (shape === 0) return context.arc(x, y, size, 0, 2 * Math.PI);
  const corners = [
    [
      [-0.9, -0.9],
      [0.9, -0.9],
      [0.9, 0.9],
      [-0.9, 0.9],
    ],
    [
      [0, -1.2],
      [1.1, 0.8],
      [-1.1, 0.8],
    ],
    [
      [0, -1.3],
      [1.3, 0],
      [0, 1.3],
      [-1.3, 0],
    ],
  ][shape - 1]!;
  corners.forEach(([dx, dy], i) =>
    i ? context.lineTo(x + dx! * size, y + dy! * size) : context.moveTo(x + dx! * size, y + dy! * size),
  );
  context.closePath();
}

/** The mark as an SVG path around (8, 8): for legends and buttons. */
export const MARK_PATHS = [
  "M8 3a5 5 0 1 0 .01 0Z",
  "M3.5 3.5h9v9h-9Z",
  "M8 2l5.5 10h-11Z",
  "M8 1.5l6.5 6.5L8 14.5 1.5 8Z",
] as const;
