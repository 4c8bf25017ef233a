/** Where AWS's services answer, and as whom they are called; absent settings are the SDK's own defaults. */
export interface Connection {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Settings that every SDK client of this project is made with. */
export function clientSettings(connection: Connection) {
  return {
    maxAttempts: 5,
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...(connection.region === undefined ? {} : { region: connection.region }),
    ...(connection.credentials === undefined ? {} : { credentials: connection.credentials }),
  };
}
