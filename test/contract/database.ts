import { beforeAll, describe, expect, it } from 'vitest';
import { stackOutputs } from '../../src/runtime/environment.ts';
import { ContractClient, type Harness } from './client.ts';

/** What the task `database` does on every target whose stack has a table. */
export function databaseSuite(harness: () => Harness): void {
  let client: ContractClient;
  beforeAll(() => {
    client = new ContractClient(harness());
  });
  const valuesOf = async (job: { readonly lines: readonly unknown[] }): Promise<unknown[]> => {
    const lines = job.lines.map((line) => JSON.stringify(line));
    const { rows } = await client.ended(await client.submit({ task: 'database', lines }));
    return rows.map((row) => (row.status === 'succeeded' ? row.value : row));
  };

  describe('the task database', () => {
    it('writes items by a job, reads them by another, and removes them by a third', async () => {
      const keys = Array.from({ length: 300 }, (_, n) => ({ pk: `user#${n}`, sk: 'profile' }));
      const items = keys.map((key, n) => ({ ...key, n, name: 'Ada', langs: ['en'], id: n }));
      expect(await valuesOf({ lines: items.map((put) => ({ put })) })).toEqual(items.map(() => ({ put: true })));
      expect(await valuesOf({ lines: keys.map((get) => ({ get, consistent: true })) })).toEqual(
        items.map((item) => ({ item })),
      );
      expect(await valuesOf({ lines: keys.map((key) => ({ delete: key })) })).toEqual(
        keys.map(() => ({ deleted: true })),
      );
      expect(await valuesOf({ lines: [{ get: keys[0], consistent: true }] })).toEqual([{ item: null }]);
    });

    it('runs within a direct invocation, where the fan-out itself may use the table', async () => {
      const put = { pk: 'direct', sk: '1', text: 'Hello' };
      await client.invoke({ task: 'database', items: [{ put }] });
      const { payload } = await client.invoke({
        task: 'database',
        items: [{ get: { pk: 'direct', sk: '1' }, table: harness().outputs[stackOutputs.table], consistent: true }],
      });
      expect(payload).toMatchObject({ state: 'done', rows: [{ value: { item: put } }] });
    });

    it('may not touch a table that the stack does not name', async () => {
      const items = [{ get: { id: 1 }, table: 'SomebodyElses' }];
      const { payload } = await client.invoke({ task: 'database', items });
      expect(payload).toMatchObject({
        rows: [{ status: 'failed', attempts: 1, error: { code: 'AccessDenied', retryable: false } }],
      });
    });
  });
}
