/**
 * Items of tables by their keys; what runs at the same time shares batches.
 *
 * @module fanloop/dynamodb
 */
// biome-ignore-all lint/performance/noBarrelFile: This is a face of the package's exports.
export { taskTables } from './tables.ts';
