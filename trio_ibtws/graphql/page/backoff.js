// How long to wait before trying again: longer each time, and never all at the same instant.

const FIRST = 500;
const LONGEST = 15_000;

/** Returns the milliseconds to wait before the attempt after *failures* failures. */
export function backoff(failures) {
  const whole = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
  return whole * (0.75 + Math.random() / 2);
}
