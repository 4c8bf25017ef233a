/** What a task of a simulation throws to end the process in which it runs, as `process.exit` would. */
export class ProcessEnd extends Error {
  constructor() {
    super('the process ends');
  }
}
