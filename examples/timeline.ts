/** Makes a function that prints each event with the whole seconds since the program began. */
export function timeline(): (event: string) => void {
  const began = performance.now();
  return (event) => console.log(`${Math.round((performance.now() - began) / 1_000)} s  ${event}`);
}
