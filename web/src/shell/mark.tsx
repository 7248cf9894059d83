/** The mark of Pellucid: a lens over numbers. */
const CELLS = ["mark-b2", "mark-b1", "mark-0", "mark-b1", "mark-0", "mark-o1", "mark-0", "mark-o1", "mark-o2"];

export function Mark() {
  return (
    <svg viewBox="0 0 30 30" aria-hidden="true">
      <clipPath id="lens"><circle cx="15" cy="15" r="13.5" /></clipPath>
      <g clip-path="url(#lens)">
        {CELLS.map((color, i) => <rect key={i} class={color} x={10 * (i % 3)} y={10 * Math.floor(i / 3)} width="10.1" height="10.1" />)}
      </g>
      <circle cx="15" cy="15" r="13.5" fill="none" stroke="currentColor" stroke-width="1.6" />
    </svg>
  );
}
