import * as z from 'zod';
import { recordFormat } from './record.ts';
import type { FanOutRequest } from './request.ts';

/** `running/{jobId}`: the job has no summary yet; with what a client wanted, where the fan-out may not have been asked. */
export interface RunningMarker {
  readonly v: 1;
  readonly request?: FanOutRequest;
}

export const markerFormat = recordFormat<RunningMarker>('a marker of a running job', 1, () =>
  z.looseObject({
    v: z.literal(1).default(1),
    // The fan-out checks it when it is asked.
    request: z.custom<FanOutRequest>((value) => typeof value === 'object' && value !== null).exactOptional(),
  }),
);
