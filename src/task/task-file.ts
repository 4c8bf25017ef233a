/** The file that called `callee`, from the stack; empty where V8 keeps none. */
export function fileOf(callee: (...given: never) => unknown): { readonly file?: string } {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, callee);
  const [, frame = ''] = (trace.stack ?? '').split('\n');
  return placeOf(frame);
}

/** The file of one frame of a V8 stack, without its line. */
export function placeOf(frame: string): { readonly file?: string } {
  const [, file] = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*?)(?:\?[^()]*?)?:\d+:\d+\)?$/.exec(frame) ?? [];
  return file === undefined ? {} : { file: file.startsWith('file:') ? decodeURI(file) : file };
}

/** The name of the task that a file defines: its path below the nearest folder `tasks`, without the ending. */
export function nameOfTaskFile(file: string): string {
  const path = file.replace(/\.[cm]?[jt]s$/, '');
  const below = path.lastIndexOf('/tasks/');
  return below === -1 ? path.slice(path.lastIndexOf('/') + 1) : path.slice(below + '/tasks/'.length);
}
