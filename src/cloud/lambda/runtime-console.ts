import { format } from 'node:util';

/** Levels in the order of their weight, as `AWS_LAMBDA_LOG_LEVEL` names them. */
const levels: readonly string[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * Makes `console` write lines as Lambda does: time, request, and level before the text, or one JSON object a line where the
 * function's log format says so.
 */
export function patchConsole(requestId: () => string | undefined): void {
  const json = process.env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON';
  const least = levels.indexOf(process.env['AWS_LAMBDA_LOG_LEVEL']?.toUpperCase() ?? '');
  const write = (level: string): ((...values: readonly unknown[]) => void) => {
    if (levels.indexOf(level) < least) return () => {};
    return (...values) => {
      const time = new Date().toISOString();
      const line = json
        ? jsonLine({ timestamp: time, level, requestId: requestId() }, values)
        : // One record is one line; CloudWatch shows a carriage return as a line break within it.
          `${time}\t${requestId()}\t${level}\t${format(...values)}`.replaceAll('\n', '\r');
      process.stdout.write(`${line}\n`);
    };
  };
  Object.assign(console, {
    trace: write('TRACE'),
    debug: write('DEBUG'),
    info: write('INFO'),
    log: write('INFO'),
    warn: write('WARN'),
    error: write('ERROR'),
    fatal: write('FATAL'),
  });
}

function jsonLine(fields: Readonly<Record<string, unknown>>, values: readonly unknown[]): string {
  const [only] = values;
  try {
    return JSON.stringify({ ...fields, message: values.length === 1 ? only : format(...values) }, errorFields);
  } catch {
    return JSON.stringify({ ...fields, message: format(...values) });
  }
}

function errorFields(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return {
    errorType: value.constructor.name,
    errorMessage: value.message,
    stackTrace: value.stack?.split('\n'),
    ...value,
  };
}
