/** Frames that are not the task's own: Node, packages, and the engine (this repository is a user of its own). */
const foreign =
  /^node:|\/node_modules\/|\[eval|<anonymous>|\/src\/(aio|aws|connectors|format|job|runtime|start|task|worker)\/|\/lambdas\/(?!tasks\/)|\/lambdas\/tasks\/(cpu|database|file|http|say-after)\.ts/;

/** A path is shown from its folder of tasks on, or by its last names. */
const shownNames = 3;

/** `file:line` of the first frame of a stack that is the task's own; undefined where there is none. */
export function ownFrame(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  for (const line of stack.split('\n')) {
    const [, file, row] =
      /^\s+at (?:.*? \(|async )?(?:file:\/\/)?((?:node:|[A-Za-z]:[\\/]|\/|\[|<)[^()]*?):(\d+):\d+\)?$/.exec(line) ?? [];
    if (file === undefined || foreign.test(file.replaceAll('\\', '/'))) continue;
    return `${shorten(file.replaceAll('\\', '/'))}:${row}`;
  }
  return undefined;
}

function shorten(file: string): string {
  const names = file.split('/');
  const tasks = names.lastIndexOf('tasks');
  return names.slice(tasks > 0 ? tasks : -shownNames).join('/');
}
