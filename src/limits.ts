/** Every number that the product's behaviour rests on, with its unit and reason. What must hold between them is told by test/limits.test.ts. */
export const limits = {
  /** Workers that run at once by default; 5 × 100 calls is brisk, not rude, and fits a new account's 10 executions. */
  workers: 5,
  /** An event source mapping accepts no MaximumConcurrency under 2 and none over 1,000. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  minWorkers: 2,
  maxWorkers: 1_000,

  /** Calls that one worker awaits at once by default. */
  concurrency: 100,
  /** A Lambda environment has 1,024 file descriptors; 500 sockets leave room for the SDK's own and for files. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  maxConcurrency: 500,
  /** A worker's slots open linearly over this time, so that a start does not burst at one API. */
  rampMs: 1_000,
  /** Slots that are open from the first millisecond of the ramp. */
  rampFloor: 10,
  /**
   * After so many good answers, and no refusal or other passing failure, what is left of the ramp opens ten times as fast. An API that
   * admits 20 calls a second refuses one before, so that its first refusals, which may take as long as answers, are no more than those
   * of the slow ramp.
   */
  rampProof: 25,
  rampFastBy: 10,

  /** An attempt that takes longer is aborted, unless its task or the job says otherwise. */
  timeoutMs: 10_000,
  /** The longest timeout a job may ask for: it has to fit into one invocation of the worker. */
  maxTimeoutMs: 240_000,
  /** Tries of one item by default, the first included. */
  attempts: 3,
  maxAttempts: 20,
  /** Full jitter: attempt n waits a random time up to base × 2^(n-1), at most the cap. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
  backoffBaseMs: 200,
  backoffCapMs: 20_000,
  /** An item whose next attempt is further away is handed over instead of kept in memory. */
  keepRetryMs: 30_000,
  /** SQS delays a message by at most 15 minutes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
  maxDelaySeconds: 900,
  /** A longer Retry-After fails the item as RetryAfterTooLong: a message cannot wait that long. */
  maxRetryAfterMs: 900_000,

  /** One item's JSON, in bytes of UTF-8. */
  maxItemBytes: 1_048_576,
  /** One item's value in its row, in bytes of JSON, by default and at most. */
  valueBytes: 262_144,
  maxValueBytes: 1_048_576,
  /** An error's message is cut here, so that rows stay small. */
  errorMessageCharacters: 1_000,

  /** A chunk (what one message stands for) ends at the first of these. */
  chunkItems: 1_000,
  chunkBytes: 4_194_304,
  /** A chunk of a job that stops by itself at some count has fewer, so that the count is known soon. */
  stopChunkItems: 50,
  /** A chunk of a job with a rate has the items of this time: shorter ones cost more than they gain, by 0.8 s of a worker of 1 GB each. */
  pacedChunkSeconds: 20,
  /** The input is cut into at least this many chunks for each worker, so that all of them have work to the end. */
  chunksPerWorker: 2,
  /** A part (what one object of the chunk table describes) ends at the first of these. */
  partChunks: 1_000,
  partBytes: 268_435_456,
  /** A worker stops to pull messages when it holds this much input and rows, and to start items when it holds this much of rows. */
  heldBytes: 67_108_864,
  /** Rows of an unfinished chunk are stored early when they reach this size. */
  segmentBytes: 8_388_608,
  /**
   * Rows of an unfinished chunk are stored early after this time: one PUT in 20 s is 1.9 % of what a worker of 1 GB costs in that
   * time, and a worker that dies loses at most the rows of so long. https://aws.amazon.com/s3/pricing/
   */
  checkpointMs: 20_000,
  /** The same where a write costs nothing: on this machine. */
  localCheckpointMs: 2_000,

  /** Items that a direct invocation runs at once and answers with rows, unless `wait` says otherwise. */
  inlineItems: 25,
  /** The client sends items within the invocation up to this size; larger ones are uploaded. */
  inlineBytes: 262_144,
  /** `wait: true` takes at most this many items: the answer of an invocation is at most 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  maxInlineItems: 1_000,
  /** Rows that an inline job is answered with at most; the 6 MB of an answer, less its summary. */
  answerBytes: 6_000_000,
  /** The inline job's share of the fan-out's time; what is left then is handed over. */
  inlineMs: 20_000,
  /** The guard tick of an inline job arrives when the fan-out cannot be running any more. */
  guardTickSeconds: 90,
  /** Turn 0 stops to cut the input after this time, so that the caller has an answer soon. */
  firstTurnMs: 10_000,
  /** A later turn stops to cut the input after this time. */
  turnMs: 120_000,

  /** Kept back at the end of an invocation to store rows and hand over. */
  deadlineMarginMs: 3_000,
  /** A worker whose machine goes lets its calls run on for this time; then they are aborted, and their items handed over. */
  leaveCallsMs: 2_500,
  /** What a machine that goes gives its functions in all. */
  leaveMs: 4_500,
  /** A worker's hold on a message: it is renewed while the worker lives and free soon after it died. A renewal in 10 s is 0.3 % of the worker's price. */
  leaseSeconds: 30,
  /** The same where a request costs nothing: on this machine. */
  localLeaseSeconds: 9,
  /** Suspect items that run at once in a child; after a death fewer do. */
  isolatedItems: 200,
  /** A child's share of the function's memory: the worker needs the rest for inputs and rows. */
  childMemoryShare: 0.6,
  /** How often a child is looked at. */
  childLookMs: 500,
  /** An item that blocks the event loop for this time fails: nobody else's calls go on meanwhile, nor are messages held. */
  loopBlockMs: 10_000,
  /** The same on this machine, where somebody waits for it: of processor time, so that no task is blamed for a busy machine. */
  localLoopBlockCpuMs: 5_000,
  localLoopBlockMs: 30_000,
  /** A renewal every third of the lease survives one that is lost. */
  renewalsPerLease: 3,
  /** Starts that may come early by this much where a rate is kept. */
  paceBurstMs: 20,
  /**
   * A seat whose next start is further away is given back until then: the five writes of that cost what a worker of 1 GB costs in 2 s,
   * and whoever takes it is there for some seconds.
   */
  parkGapMs: 8_000,
  /** Somebody is called to it so much earlier, since a worker has to begin. */
  parkLeadMs: 1_000,
  /** Of units that were charged too much, at most so much time is given back. */
  unitsCreditMs: 2_000,
  /** Who gains from a change of limits waits so long, until who loses must have seen it. */
  raiseAfterMs: 3_000,
  /** Nothing of a limited job starts when its control was read longer ago. */
  controlStaleMs: 3_000,
  /** A loop that computes for this part of its time starts calls late: its worker cannot carry what it may. */
  busyLoop: 0.9,
  /** Refusals for the rate that an item survives beside its attempts. */
  refusals: 20,
  /** How often a worker looks at a job's control; twice as often where the job stops by itself at some count. */
  controlMs: 2_000,
  /**
   * How often a worker whose items are all in line looks for messages of other jobs. One that is put back costs three requests,
   * which in 5 s are 1.8 % of what a worker of 1 GB costs. https://aws.amazon.com/sqs/pricing/
   */
  lookForOthersMs: 5_000,
  /** Weight of a job among those that meet in a worker, where nobody says another: the middle of 1 to 5. */
  priority: 3,
  /** How long a worker's own receive waits for a message while its items run. */
  receiveWaitSeconds: 1,

  /** Function settings. Visibility ≥ 6 × timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
  workerTimeoutSeconds: 300,
  /** Lambda's longest. https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
  maxWorkerTimeoutSeconds: 900,
  /** A queue hides a message for so many timeouts of its function. */
  visibilityTimeouts: 6,
  workerMemoryMb: 1_024,
  /** Less leaves no room for the rows in hand, and Lambda has no more. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
  minWorkerMemoryMb: 512,
  maxWorkerMemoryMb: 10_240,
  fanOutTimeoutSeconds: 60,
  fanOutMemoryMb: 512,
  tickTimeoutSeconds: 150,
  tickMemoryMb: 512,
  tickQueueVisibilitySeconds: 900,
  deadLetterTimeoutSeconds: 60,
  deadLetterMemoryMb: 512,
  deadLetterQueueVisibilitySeconds: 360,
  /** Deliveries before a message is a dead letter; at least 5, since a throttled invocation burns one. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html */
  maxReceiveCount: 5,
  /** SQS keeps no message longer. */
  retentionDays: 14,
  /** Jobs that have ended are kept for 30 days on this machine. */
  keepJobsMs: 30 * 86_400_000,
  logRetentionDays: 14,

  /** Delay of turn n+1 after turn n, in seconds; the last one repeats. Close enough that a job that takes 8 s is known to have ended by 10. */
  tickDelaysSeconds: [1, 1, 1, 2, 2, 2, 3, 5, 8, 15],
  /** A twin of a tick does the record's effects again only when the next turn is this late. */
  overdueMs: 60_000,
  /** A turn that is this late is sent again: longer than one takes that cuts nothing. */
  lateTurnSeconds: 40,
  /** A turn is sent again so often, each time after twice the time; what fails then as well has the tries of the dead-letter queue. */
  lateTurnLooks: 3,
  /** A dead tick is sent again after these delays; then the job is stalled. */
  deadTickDelaysSeconds: [60, 300, 900],
  /** A dead chunk is sent again after these delays; then its items fail. */
  deadWorkDelaysSeconds: [0, 60, 300],
  /** Unsettled chunks are sent again when nothing settled and no segment was stored for so many leases: a worker stores one at least once a lease. */
  idleLeases: 2,
  /** While there are messages in the queue, each resend that came to nothing doubles that time, up to this. */
  maxIdleMs: 3_600_000,
  /** Somebody who asks for a turn cannot know whether the effects of the one before are done: the tick that says so has this time. */
  askedTickGraceMs: 5_000,
  /** Turns that may end before a part is cut: the first one is short, and S3 may be slow for a time. */
  turnsWithoutPart: 5,
} as const;
