import { defaultTarget, type TargetOptions } from '../../targets/target-options.ts';
import { shellQuote } from './task-help.ts';

/** The command that does `verb` to a job on the same target, ready to be copied. */
export function hint(verb: string, jobId: string, options: TargetOptions): string {
  const flags = [
    ...(options.target === defaultTarget ? [] : ['--target', options.target]),
    ...(options.state === undefined ? [] : ['--state', options.state]),
    ...(options.stack === undefined ? [] : ['--stack', options.stack]),
    ...(options.name === undefined ? [] : ['--name', options.name]),
    ...(options.endpoint === undefined ? [] : ['--endpoint', options.endpoint]),
    ...(options.workers === undefined ? [] : ['--workers', String(options.workers)]),
  ];
  return ['fanloop', verb, jobId, ...flags].map(shellQuote).join(' ');
}
