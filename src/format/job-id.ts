import type { Random } from '../ports.ts';

/** Crockford's base32 in lower case: digits and letters that nobody mistakes for each other. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const timeCharacters = 10;
const randomCharacters = 10;
const lastMillisecond = 32 ** timeCharacters - 1;
const pattern = new RegExp(`^[${alphabet}]{${timeCharacters + randomCharacters}}$`);

/** Makes a job id of 20 characters: ids sort newest first, because S3 lists in ascending order only. */
export function newJobId(now: number, random: Random): string {
  let rest = lastMillisecond - now;
  let time = '';
  for (let i = 0; i < timeCharacters; i++) {
    time = alphabet.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (let i = 0; i < randomCharacters; i++) tail += alphabet.charAt(Math.floor(random() * 32));
  return time + tail;
}

/** Whether a text is a job id. */
export function isJobId(text: string): boolean {
  return pattern.test(text);
}

/** The moment in a job id, in milliseconds since the epoch. */
export function jobIdTime(jobId: string): number {
  let time = 0;
  for (const character of jobId.slice(0, timeCharacters)) time = time * 32 + alphabet.indexOf(character);
  return lastMillisecond - time;
}
