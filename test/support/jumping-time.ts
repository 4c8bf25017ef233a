/**
 * Preloaded into a program, it lets time jump from timer to timer as soon as nothing else can run: a program that waits
 * sees the times that it would on a machine that is never late.
 */
interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Turns of the host's loop in which everything that waits for no timer has run. */
const settleTurns = 10;

let now = 0;
let timers: readonly Timer[] = [];
let isJumping = false;

async function jump(): Promise<void> {
  while (true) {
    for (let turn = 0; turn < settleTurns; turn++) await new Promise((resolve) => void setImmediate(resolve));
    const next = timers.toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    timers = timers.filter((timer) => timer !== next);
    now = Math.max(now, next.at);
    next.callback();
  }
  isJumping = false;
}

performance.now = () => now;
Object.assign(globalThis, {
  setTimeout: (callback: () => void, ms = 0): Timer => {
    const timer = { at: now + ms, callback };
    timers = [...timers, timer];
    if (!isJumping) void jump();
    isJumping = true;
    return timer;
  },
  clearTimeout: (given: Timer): void => {
    timers = timers.filter((timer) => timer !== given);
  },
});
