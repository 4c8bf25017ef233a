/** The tasks of this deployment by name; the bundler writes this module from the files of `lambdas/tasks/`. */
declare module 'fanloop:tasks' {
  export const tasks: import('../src/task/task.ts').TaskRegistry;
}
