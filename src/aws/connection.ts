/** Where AWS's services answer, and as whom they are called; absent settings are the SDK's own defaults. */
export interface Connection {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A connection that hangs, as after a Lambda environment was frozen, has to fail: by itself the SDK waits for ever. */
const requestTimeouts = { connectionTimeout: 3_000, requestTimeout: 60_000, throwOnRequestTimeout: true } as const;

/** Tries of a request, the first included. */
export const requestAttempts = 5;

/** Keys in one answer of a LIST. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const pageKeys = 1_000;

/** Tries of a conditional write more, where another one of the same key was under way (409). */
export const maxConflicts = 5;

/** Settings that every SDK client of this project is made with. The SDK's own agent keeps at most 50 sockets alive a client. */
export function clientSettings(connection: Connection) {
  return {
    maxAttempts: requestAttempts,
    requestHandler: requestTimeouts,
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...(connection.region === undefined ? {} : { region: connection.region }),
    ...(connection.credentials === undefined ? {} : { credentials: connection.credentials }),
  };
}
