import { existsSync } from 'node:fs';
import path from 'node:path';
import { engineHash, lastEngine } from '../bundle/engine.ts';
import { codeFolder } from '../bundle/local-code.ts';
import { findProject } from '../bundle/project.ts';
import { startStandby } from '../cloud/lambda/standby.ts';
import { startVariables } from '../cloud/lambda/variables.ts';
import { limits } from '../limits.ts';
import { functionNodeOptions } from '../runtime/environment.ts';

/** Asks for help, or for another cloud. */
const startsNothing = /^(-h|--help|--target(=.*)?)$/;

/**
 * Starts the process of the fan-out that this command line will need, while the command itself is still being loaded. It is a guess by the
 * arguments' look alone: who opens the cloud takes the process, or ends it. Says nothing, whatever goes wrong. The answer is its id.
 */
export function standByFor([command, task, ...options]: readonly string[]): number | undefined {
  if (command !== 'run' || task === undefined || task.startsWith('-') || options.some((o) => startsNothing.test(o)))
    return undefined;
  try {
    const engine = lastEngine();
    if (engine === undefined) return undefined;
    const codeDir = codeFolder(findProject(process.cwd(), tasksOf(options)), engineHash(engine));
    const file = path.join(codeDir, 'standby.mjs');
    // Only where a start before has made the code.
    if (!existsSync(file)) return undefined;
    const variables = { ...startVariables(path.join(codeDir, 'compile-cache')), ...functionNodeOptions };
    return startStandby({ cwd: codeDir, memoryMb: limits.fanOutMemoryMb, variables, file });
  } catch {
    // The command says what is wrong.
    return undefined;
  }
}

function tasksOf(options: readonly string[]): string | undefined {
  const at = options.findLastIndex((option) => /^--tasks(=|$)/.test(option));
  const [, value] = /^--tasks=(.*)$/s.exec(options[at] ?? '') ?? [];
  return at < 0 ? undefined : (value ?? options[at + 1]);
}
