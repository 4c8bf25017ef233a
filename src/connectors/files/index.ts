/**
 * Objects of S3, and files of this machine where tasks may use them, as streams.
 *
 * @module fanloop/files
 */
// biome-ignore-all lint/performance/noBarrelFile: This is a face of the package's exports.

export type { WrittenObject } from './object-upload.ts';
export { type PlaceOptions, readPlace, writePlace } from './task-storage.ts';
