import { describe, expect, it } from 'vitest';
import { encodeMessage, parseMessage, type WorkMessage } from '../../src/format/message.ts';
import { workMessage } from '../../src/format/work-message.ts';

const bounds = { start: 10, end: 20, first: 3, count: 2 };

describe('messages', () => {
  it('come back as they were sent', () => {
    const message: WorkMessage = {
      ...workMessage('j', { part: 1, chunk: 2, bounds }, 3),
      only: [[4, 1]],
      waits: [[4, 99]],
      segments: ['0000001-w-0'],
      notBefore: 5,
    };
    expect(parseMessage(encodeMessage(message))).toEqual({ kind: 'message', message });
    const tick = { v: 1, kind: 'tick', job: 'j', n: 7, resend: true } as const;
    expect(parseMessage(encodeMessage(tick))).toEqual({ kind: 'message', message: tick });
  });

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['an older shape', '{"v":1}'],
    ['another kind', '{"v":1,"kind":"work","job":1}'],
    ['a negative place', JSON.stringify({ ...workMessage('j', { part: -1, chunk: 0, bounds }) })],
  ])('takes %s for foreign', (_, body) => {
    expect(parseMessage(body).kind).toBe('foreign');
  });

  it('knows a newer version, whatever else it says', () => {
    expect(parseMessage('{"v":2,"kind":"later"}')).toEqual({ kind: 'newer', version: 2 });
  });

  it('gives a resend a generation that hand-overs of an older one never reach', () => {
    expect(workMessage('j', { part: 0, chunk: 0, bounds }, 2).gen).toBe(200_000);
  });
});
