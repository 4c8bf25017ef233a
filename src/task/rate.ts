import * as z from 'zod';
import { UsageError } from './errors.ts';
import { lazily } from './lazily.ts';

/** So many of something in so many milliseconds. */
export interface Rate {
  readonly limit: number;
  readonly perMs: number;
}

const periods: Readonly<Record<string, number>> = {
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
};

/** Highest and lowest pace that can be kept: 100,000 in a millisecond's reach, and one a day. */
const maxPerSecond = 100_000;
const minPerSecond = 1 / 86_400;

/** What a rate is to be, in words. */
export const rateWanted = `a rate as 50/s, 3000/min, or 0.1/s, from 1/day to ${maxPerSecond}/s`;

/** Reads `50/s`, `3000/min`, `0.1/s`, `5000/h`; undefined where the text is no rate or out of range. */
export function rateOf(text: string): Rate | undefined {
  const [, amount, period = ''] = /^(\d{1,9}(?:\.\d{1,6})?)\s*\/\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const perMs = periods[period.toLowerCase()];
  if (amount === undefined || perMs === undefined) return undefined;
  const rate = { limit: Number(amount), perMs };
  const perSecond = perSecondOf(rate);
  return perSecond >= minPerSecond && perSecond <= maxPerSecond ? rate : undefined;
}

/** @throws UsageError `InvalidOptions` */
export function parseRate(text: string, option: string): Rate {
  const rate = rateOf(text);
  if (rate !== undefined) return rate;
  throw new UsageError('InvalidOptions', `expected ${option} to be ${rateWanted}, got "${text}"`);
}

export const perSecondOf = ({ limit, perMs }: Rate): number => (limit * 1_000) / perMs;

/** A rate as a person writes it. */
export function rateText(rate: Rate): string {
  const [period = 's'] = Object.entries(periods).find(([name, ms]) => ms === rate.perMs && name !== 'sec') ?? [];
  return `${rate.limit}/${rate.perMs === 60_000 ? 'min' : period}`;
}

/** In a payload a rate is its text, or its two numbers. */
export const rateSchema = lazily(() =>
  z.union(
    [
      z.string().transform((text, context) => {
        const rate = rateOf(text);
        if (rate !== undefined) return rate;
        context.addIssue({ code: 'custom', message: 'no rate' });
        return z.NEVER;
      }),
      z
        .strictObject({ limit: z.number().positive(), perMs: z.int().min(1) })
        .refine((rate) => perSecondOf(rate) >= minPerSecond && perSecondOf(rate) <= maxPerSecond),
    ],
    {
      error: ({ input }) => `expected ${rateWanted}, got ${JSON.stringify(input)}`,
    },
  ),
);
