import { Command, CommanderError } from 'commander';
import { UsageError } from '../task/errors.ts';
import type { CommandContext, DefineCommand } from './command-context.ts';

interface Entry {
  readonly about: string;
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

/** The commands, each loaded only when it is used. */
const entries: Readonly<Record<string, Entry>> = {
  run: { about: 'run a task over items and write the results', load: () => import('./commands/run.ts') },
  submit: { about: 'start a job and print its id', load: () => import('./commands/submit.ts') },
  estimate: {
    about: 'run some items, and say what all of them would take',
    load: () => import('./commands/estimate.ts'),
  },
  watch: { about: 'follow a job to its end', load: () => import('./commands/watch.ts') },
  status: { about: 'say how far a job is', load: () => import('./commands/status.ts') },
  results: { about: "write a job's results in input order", load: () => import('./commands/results.ts') },
  cancel: { about: 'end a job; what has not run is cancelled', load: () => import('./commands/cancel.ts') },
  redrive: { about: 'run chosen items of a job again', load: () => import('./commands/redrive.ts') },
  retry: { about: 'run what failed of the last job again', load: () => import('./commands/retry.ts') },
  pause: { about: 'let a job rest; its rows are kept', load: () => import('./commands/pause.ts') },
  resume: { about: 'let a job that pauses go on', load: () => import('./commands/resume.ts') },
  tune: { about: "change a running job's limits", load: () => import('./commands/tune.ts') },
  rm: { about: 'remove jobs that have ended, with their rows', load: () => import('./commands/rm.ts') },
  jobs: { about: 'list the jobs, newest first', load: () => import('./commands/jobs.ts') },
  tasks: { about: 'list the tasks, with their input', load: () => import('./commands/tasks.ts') },
  logs: { about: "show what a job's functions logged", load: () => import('./commands/logs.ts') },
  deploy: { about: 'deploy the stack to LocalStack or AWS', load: () => import('./commands/deploy.ts') },
  init: { about: 'make a first task of your own', load: () => import('./commands/init.ts') },
  destroy: { about: 'remove the stack with everything in it', load: () => import('./commands/destroy.ts') },
};

const examples = `
Examples:
  fanloop run say-after '{"delayMs":1000,"message":"Hello"}' '{"delayMs":2000,"message":"World"}'
  fanloop run http --input urls.ndjson --out results.ndjson
  fanloop run http --help`;

/** Parses the arguments (without node and script) and runs the command they name. @throws UsageError when they make no sense */
export async function runProgram(argv: readonly string[], context: CommandContext, version: string): Promise<void> {
  const program = new Command('fanloop')
    .description('Run one async task over many items, on this machine, LocalStack, or AWS.')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', examples);
  const used = argv.filter((argument) => argument !== 'help').find((argument) => !argument.startsWith('-'));
  for (const [name, entry] of Object.entries(entries)) {
    const command = program.command(name).description(entry.about).exitOverride();
    command.copyInheritedSettings(program);
    if (name === used) (await entry.load()).define(command, context);
  }
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander ends by an error of exit code 0 when it has shown a help or the version.
    if (error.exitCode !== 0 && error.code !== 'commander.help')
      throw new UsageError('InvalidOptions', sentence(error.message), { cause: error });
  }
}

const usage = '"fanloop --help" shows the usage';

/** Commander writes `error: …`, and a suggestion on a line of its own. */
function sentence(message: string): string {
  const said = message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\)$/s, '; did you mean $1')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  const hint = said.includes("'--resume'") ? '"fanloop watch JOB" goes on with a job that was left' : usage;
  return `${said}; ${hint}`;
}
