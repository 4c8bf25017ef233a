declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** A server of DynamoDB's API that does not listen yet; closing it closes its database. */
  function dynalite(options: {
    /** Folder of its LevelDB. */
    readonly path: string;
    /** How long a new table is CREATING, in milliseconds. */
    readonly createTableMs: number;
  }): Server;
  export = dynalite;
}
