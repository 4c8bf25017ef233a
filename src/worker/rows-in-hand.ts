import { countRows, type Digest } from '../format/digest.ts';
import type { ItemError, Row } from '../format/outcome.ts';
import { lineOf, type RowLine } from '../format/result.ts';
import type { ItemAbout } from './open-message.ts';

/** What a row has cost, and of one that has succeeded its value. */
export interface RowCost {
  /** The value's JSON: its row carries none itself. */
  readonly json?: string;
  readonly bytes: number;
  readonly callMs: number;
}

interface SettledRow extends RowCost {
  readonly row: Row;
}

const linesOf = (rows: readonly Pick<SettledRow, 'row' | 'json'>[]): readonly RowLine[] =>
  rows.map(({ row, json }) => lineOf(row, json));

/** An item as its failure sees it. */
export interface FailedItem {
  readonly index: number;
  /** What its row says of it. */
  readonly about: ItemAbout;
  readonly attempts: number;
  /** It has its row. */
  readonly isSettled?: boolean;
}

/** Rows of a chunk of which it is not known that they stand. */
export class RowsInHand {
  #rows: SettledRow[] = [];
  /** Rows that are being stored. */
  #taken: readonly SettledRow[] = [];
  #bytes = 0;
  #storingBytes = 0;
  /** What becomes of items that run still and have failed already. */
  readonly #charged = new Map<number, Row>();

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Of the rows that nobody stores yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the rows in memory: also of those that are being stored. */
  get heldBytes(): number {
    return this.#bytes + this.#storingBytes;
  }

  add(row: Row, cost: RowCost): void {
    this.#charged.delete(row.index);
    const { json, bytes, callMs } = cost;
    // By name: it is made for every row, and a spread costs more than all else here.
    this.#rows.push(json === undefined ? { row, bytes, callMs } : { row, json, bytes, callMs });
    this.#bytes += bytes;
  }

  /** An item fails whatever it answers, or has answered; what is stored already stays as it is. */
  fail({ index, about, attempts, isSettled = false }: FailedItem, error: ItemError): void {
    const at = this.#rows.findLastIndex((settled) => settled.row.index === index);
    const before = this.#rows[at];
    if (!isSettled) this.#charged.set(index, { index, ...about, status: 'failed', error, attempts, durationMs: 0 });
    if (before?.row.status !== 'succeeded') return;
    const { value: _value, ...rest } = before.row;
    this.#rows[at] = { ...before, row: { ...rest, status: 'failed', error } };
  }

  /** An item's outcome is another invocation's. */
  leave(index: number): void {
    this.#charged.delete(index);
  }

  /** Takes the rows that nobody stores yet, and counts them: whoever takes them stores them. */
  take(digest: Digest): { readonly lines: readonly RowLine[]; readonly digest: Digest } {
    const rows = this.#rows;
    this.#taken = rows;
    this.#rows = [];
    this.#storingBytes = this.#bytes;
    this.#bytes = 0;
    return { lines: linesOf(rows), digest: countRows(digest, rows) };
  }

  /** What was taken stands. */
  stand(): void {
    this.#taken = [];
    this.#storingBytes = 0;
  }

  /** All of them: those in hand, those that are being stored, and those that are to come in any case. */
  lines(): readonly RowLine[] {
    const charged = this.#charged.values().map((row) => ({ row }));
    return linesOf([...this.#taken, ...this.#rows, ...charged]);
  }

  clear(): void {
    this.#rows = [];
    this.#taken = [];
    this.#bytes = 0;
    this.#charged.clear();
  }
}
