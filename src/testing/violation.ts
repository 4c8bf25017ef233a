/** A promise that a run broke. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

/** Tells a promise that was broken. */
export type Report = (rule: string, what: string) => void;
