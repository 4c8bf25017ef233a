import type { FunctionDescription } from '../template/template-functions.ts';
import type { Execution } from './execution.ts';

/** The line with which Lambda begins the log of an invocation. */
export function startLine(requestId: string, format: FunctionDescription['logFormat']): string {
  const version = '$LATEST';
  if (format === 'JSON') return platformEvent('platform.start', { requestId, version });
  return `START RequestId: ${requestId} Version: ${version}`;
}

/** The lines with which Lambda ends the log of an invocation. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
export function reportLines(
  execution: Execution,
  requestId: string,
  description: FunctionDescription,
): readonly string[] {
  const { memoryMb, timeoutMs, logFormat } = description;
  const { durationMs, initMs, errorType } = execution;
  const billedMs = Math.ceil(durationMs + (initMs ?? 0));
  const maxMemoryMb = Math.min(execution.maxMemoryMb, memoryMb);
  const timedOut = errorType === 'Sandbox.Timedout';
  const status = timedOut ? 'timeout' : errorType === undefined ? 'success' : 'error';
  if (logFormat === 'JSON') {
    const metrics = {
      durationMs,
      billedDurationMs: billedMs,
      memorySizeMB: memoryMb,
      maxMemoryUsedMB: maxMemoryMb,
      initDurationMs: initMs,
    };
    return [platformEvent('platform.report', { requestId, metrics, status, errorType })];
  }
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${billedMs} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${maxMemoryMb} MB`,
  ];
  if (initMs !== undefined) fields.push(`Init Duration: ${initMs.toFixed(2)} ms`);
  if (status !== 'success') fields.push(`Status: ${status}`);
  if (status === 'error') fields.push(`Error Type: ${errorType}`);
  const lines = [`END RequestId: ${requestId}`, `${fields.join('\t')}\t`];
  if (timedOut) {
    const seconds = (timeoutMs / 1_000).toFixed(2);
    lines.unshift(`${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds`);
  }
  return lines;
}

function platformEvent(type: string, record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ time: new Date().toISOString(), type, record });
}
