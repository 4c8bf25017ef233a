import { isJobId, newJobId } from '../format/job-id.ts';
import { tokenKey } from '../format/paths.ts';
import { tokenFormat } from '../format/token.ts';
import type { Clock, ObjectStore, Random } from '../ports.ts';

/** SHA-256 of a text in hex. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The job id that a client token stands for: asking twice is one job. A token that is a job id is the id itself;
 * any other is looked up, and the first who asks makes the id.
 */
export async function jobIdOf(
  deps: { readonly store: ObjectStore; readonly clock: Clock; readonly random: Random },
  clientToken: string,
): Promise<string> {
  if (isJobId(clientToken)) return clientToken;
  const key = tokenKey(await sha256(clientToken));
  const jobId = newJobId(deps.clock.now(), deps.random);
  const etag = await deps.store.put(key, tokenFormat.encode({ v: 1, jobId }), { condition: { ifAbsent: true } });
  if (etag !== undefined) return jobId;
  const existing = await deps.store.get(key);
  if (existing === undefined) throw new Error(`expected the record ${key} that stood a moment ago, got none`);
  return tokenFormat.parse(existing.body).jobId;
}
