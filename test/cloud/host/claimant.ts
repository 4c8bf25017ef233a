import { type Claim, claimStateFolder } from '../../../src/cloud/host/state-folder.ts';

/** What a claimant tells the test that forked it. */
export type ClaimantReport =
  | { readonly state: 'owns' }
  | { readonly state: 'joined'; readonly ownerPid: number; readonly settings: string };

const [dir = '', mode = 'publish'] = process.argv.slice(2);
const report = (message: ClaimantReport): void => {
  process.send?.(message);
};

/** Claims the folder again and again, as a process that takes over does, until it is killed. */
let claim: Claim = await claimStateFolder(dir);
while (!claim.owner) {
  report({ state: 'joined', ownerPid: claim.info.pid, settings: claim.info.settings });
  await claim.whenFree(new AbortController().signal);
  claim = await claimStateFolder(dir);
}
if (mode === 'publish') await claim.publish({ pid: process.pid, port: 1, url: 'http://127.0.0.1:1', settings: 'hash' });
report({ state: 'owns' });
process.on('disconnect', () => process.exit());
