import type { Row } from '../../src/format/outcome.ts';
import { encodeLines, lineOf } from '../../src/format/result.ts';

/** Rows as a result or a segment holds them. */
export const encodeRows = (rows: readonly Row[], segments?: readonly string[]): Uint8Array =>
  encodeLines(
    rows.map((row) => lineOf(row)),
    segments,
  );
