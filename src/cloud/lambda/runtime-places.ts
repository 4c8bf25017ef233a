/** How many places of its mapping an invocation holds, and how few it keeps when its loop is busy. */
export interface GivenPlaces {
  readonly held: number;
  /** With fewer for each, more processes would compute than there are processors. */
  readonly least: number;
}

/** What the handler sees of them: it does the work of so many invocations, and may leave some to others. */
export interface HeldPlaces {
  readonly held: number;
  /** Keeps so many at most, and one at least. */
  keep(places: number): void;
}

const lookMs = 100;
const beatMs = 1_000;
/** A loop that runs code for this part of the time delays what waits for it. */
const busyShare = 0.9;
/** Longer than the code of a new process takes to become fast. */
const busyMs = 500;
/**
 * A loop that gets less of a processor than this while it runs code either waits for others that have the processors, of which one more
 * process would not get more either, or for a call that blocks it; so it takes longer until it counts as busy.
 */
const ownShare = 0.5;
const starvedMs = 2_000;
/** A process that holds this part of its memory takes on no more; one that outgrows it is killed. */
const fullShare = 0.5;

/** Who says nothing for so long stands still: all places but one are given to others. */
export const silentMs = 3_000;

/** Tells from looks at a loop whether it has no more to give, and begins anew then. */
export class BusyLoop {
  #sinceMs = 0;
  #computedMs = 0;

  /** @param seen the time since the last look, the part of it in which the loop ran code, and the processor time that it got */
  look({
    ms,
    utilization,
    cpuMs,
  }: {
    readonly ms: number;
    readonly utilization: number;
    readonly cpuMs: number;
  }): boolean {
    const isBusy = utilization >= busyShare;
    this.#sinceMs = isBusy ? this.#sinceMs + ms : 0;
    this.#computedMs = isBusy ? this.#computedMs + cpuMs : 0;
    if (this.#sinceMs < (this.#computedMs < ownShare * this.#sinceMs ? starvedMs : busyMs)) return false;
    this.#sinceMs = 0;
    this.#computedMs = 0;
    return true;
  }
}

/**
 * Holds places for one invocation until `end`: half of them are left to another process when this one's loop or memory has no more to
 * give. It tells of them each second, so that those of a process that stands still can be given to others.
 */
export function holdPlaces(
  { held: given, least }: GivenPlaces,
  { memoryBytes, tell }: { readonly memoryBytes: number; readonly tell: (places: number) => void },
): HeldPlaces & { end(): void } {
  let held = given;
  let hasEnded = false;
  let toldMs = performance.now();
  const keep = (places: number): void => {
    if (places >= held || hasEnded) return;
    held = Math.max(1, places);
    tell(held);
  };
  let before = performance.eventLoopUtilization();
  let cpuBefore = process.threadCpuUsage();
  const busy = new BusyLoop();
  const look = (): void => {
    const silent = performance.now() - toldMs;
    if (silent > silentMs) keep(1);
    if (silent > beatMs) {
      toldMs += silent;
      tell(held);
    }
    const now = performance.eventLoopUtilization();
    const { active, idle, utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const { user, system } = process.threadCpuUsage(cpuBefore);
    cpuBefore = process.threadCpuUsage();
    if (process.memoryUsage.rss() > fullShare * memoryBytes) keep(Math.ceil(held / 2));
    if (!busy.look({ ms: active + idle, utilization, cpuMs: (user + system) / 1_000 })) return;
    keep(Math.max(least, Math.ceil(held / 2)));
  };
  const timer = given > 1 ? setInterval(look, lookMs).unref() : undefined;
  return {
    get held() {
      return held;
    },
    keep,
    end: () => {
      hasEnded = true;
      clearInterval(timer);
    },
  };
}
