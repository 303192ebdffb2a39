/** The private address of the n-th instance, counted from 0. */
export function privateIpOf(index: number): string {
  return `10.0.${Math.floor(index / 250)}.${(index % 250) + 5}`;
}

/** The id of the n-th instance, counted from 0. */
export function instanceIdOf(index: number): string {
  return `i-${index.toString(16).padStart(17, "0")}`;
}
