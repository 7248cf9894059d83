export function Inside() {
  return <h1>Inside</h1>;
}
