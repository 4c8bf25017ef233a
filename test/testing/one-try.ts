import { brokenIn, runsOf } from './limit-runs.ts';
for (const kind of ['moves', 'stale', 'rivals', 'distance', 'grows'] as const) { const t = performance.now(); const n = Number(process.argv[2]); for (let s = 1; s <= n; s++) { const b = await brokenIn(runsOf[kind](s)); if (b.length) console.log(kind, s, b.slice(0, 2)); } console.log(kind, (performance.now() - t) / n); }
