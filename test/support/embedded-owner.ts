import { openEmbeddedCloud } from '../../src/cloud/host/cloud.ts';
import { systemClock } from '../../src/runtime/system.ts';

/** A process that opens the embedded cloud of a folder with a template made by hand, and tells its parent where it is. */
const [stateDir = '', templatePath = '', outDir = ''] = process.argv.slice(2);
const cloud = await openEmbeddedCloud(
  { stateDir, settings: {} },
  { clock: systemClock, synthesize: async () => ({ templatePath, outDir, stackName: 'HandMade' }) },
);
process.send?.({ endpoint: cloud.endpoint, outputs: cloud.outputs, owner: cloud.owner });
