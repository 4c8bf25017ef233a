// Adds up the JSON reports of Vitest runs: one line, and exit code 1 when a test failed or none passed.
import { readFileSync } from 'node:fs';

const count = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  const report = read(file);
  if (report === undefined) {
    // A run that ended before it could report is a failure, though no test of it failed.
    count.failed += 1;
    continue;
  }
  count.passed += report.numPassedTests;
  count.failed += report.numFailedTests;
  count.skipped += report.numPendingTests + report.numTodoTests;
  // A file that cannot be loaded fails, and has no tests; neither has an error outside of all tests.
  if (!report.success && report.numFailedTests === 0) count.failed += 1;
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
if (count.failed > 0 || count.passed === 0) process.exitCode = 1;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.log(`no report of a run: ${error.message}`);
    return undefined;
  }
}
