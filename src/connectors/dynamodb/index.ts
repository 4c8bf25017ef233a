/**
 * Items of tables by their keys; what runs at the same time shares batches.
 *
 * @module fanloop/dynamodb
 */
// biome-ignore-all lint/performance/noBarrelFile: This is a face of the package's exports.
export { type TableOptions, type Tables, taskTables } from './tables.ts';
export type { Document, DocumentFormat } from './value.ts';
