/** Frames that are not the task's own: Node, packages, and the engine (this repository is a user of its own). */
const foreign =
  /^node:|\/node_modules\/|\[eval|<anonymous>|\/src\/(aio|aws|connectors|format|job|runtime|start|task|worker)\/|\/lambdas\/(?!tasks\/)|\/lambdas\/tasks\/(cpu|database|file|http|say-after)\.ts|\/(?:chunk|part|builtin)-[A-Za-z0-9-]+\.mjs$/;

/** A path is shown from its folder of tasks on, or by its last names. */
const shownNames = 3;

/** `file:line` of the first frame of a stack that is the task's own; undefined where there is none. */
export function ownFrame(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  for (const line of stack.split('\n')) {
    const { file = '', row } = frameOf(line);
    if (row !== undefined && !foreign.test(file)) return `${shorten(file)}:${row}`;
  }
  return undefined;
}

/** A stack without the frames that are not the task's own; as it is where none would be left. */
export function ownStack(stack: string): string {
  const lines = stack.split('\n');
  if (ownFrame(stack) === undefined) return stack;
  return lines.filter((line) => frameOf(line).row === undefined || ownFrame(line) !== undefined).join('\n');
}

/** The file of a stack's line, with slashes, and the number of its line; nothing where it is no frame. */
function frameOf(line: string): { readonly file?: string; readonly row?: string } {
  const [, file, row] =
    /^\s+at (?:.*? \(|async )?(?:file:\/\/)?((?:node:|[A-Za-z]:[\\/]|\/|\[|<)[^()]*?):(\d+):\d+\)?$/.exec(line) ?? [];
  return file === undefined || row === undefined ? {} : { file: file.replaceAll('\\', '/'), row };
}

function shorten(file: string): string {
  const names = file.split('/');
  const tasks = names.lastIndexOf('tasks');
  return names.slice(tasks > 0 ? tasks : -shownNames).join('/');
}
