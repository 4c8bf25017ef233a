import { randomBytes } from 'node:crypto';
import type { Credentials } from '../lambda/variables.ts';
import type { FunctionDescription } from '../template/template-functions.ts';
import type { Authorize } from './access.ts';
import { allows } from './policy.ts';

/** The person's own credentials. Any key that is no function's will do, as the server listens on loopback for its own user. */
export const ownCredentials: Credentials = { accessKeyId: 'fanloop', secretAccessKey: 'fanloop' };

/** Keys of functions start with this, so that the key of a function which is gone opens nothing. */
const functionKeyPrefix = 'FUNCTION';

/** Who may do what. */
export interface AccessControl {
  readonly authorize: Authorize;
  /** A key for one execution environment of a function: the function's own, and a part by which is known what it holds when it dies. */
  environmentCredentials(functionName: string): Credentials;
}

/** Gives each function a key of its own, by which its calls are checked against its role's statements. */
export function openAccessControl(functions: readonly FunctionDescription[]): AccessControl {
  const byKey = new Map<string, FunctionDescription>();
  const credentials = new Map<string, Credentials>();
  for (const description of functions) {
    const accessKeyId = functionKeyPrefix + randomBytes(6).toString('hex').toUpperCase();
    byKey.set(accessKeyId, description);
    credentials.set(description.name, { accessKeyId, secretAccessKey: randomBytes(20).toString('hex') });
  }
  return {
    authorize: ({ accessKeyId, action, resource }) => {
      const caller = byKey.get(functionKeyOf(accessKeyId));
      if (caller === undefined) return accessKeyId !== '' && !accessKeyId.startsWith(functionKeyPrefix);
      if (allows(caller.statements, action, resource)) return true;
      return `The function ${caller.name} is not authorized to perform: ${action} on resource: ${resource} because its role's statements do not allow it`;
    },
    environmentCredentials: (functionName) => {
      const found = credentials.get(functionName);
      if (found === undefined) throw new Error(`expected the name of a function of the stack, got ${functionName}`);
      return { ...found, accessKeyId: `${found.accessKeyId}.${randomBytes(6).toString('hex')}` };
    },
  };
}

const functionKeyOf = (accessKeyId: string): string => accessKeyId.split('.')[0] ?? '';
