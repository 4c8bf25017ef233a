// Answers `/name?ms=200&at=…` after that time and keeps when each call began and ended, by name; `admit` of them a second, or all.
// `/stats` says what of a name was seen, `/calls` gives its calls, `/admit` changes what is taken.
import { createServer } from 'node:http';

const meters = new Map();
const meterOf = (name) => {
  if (!meters.has(name))
    meters.set(name, { calls: [], refused: 0, taken: [], open: 0, most: 0, area: 0, since: 0, admit: undefined });
  return meters.get(name);
};
function step(meter, by, now) {
  meter.area += meter.open * (now - meter.since);
  meter.since = now;
  meter.open += by;
  meter.most = Math.max(meter.most, meter.open);
}

/** Whether a call is taken: of the last second's at most so many were. */
function takes(meter, now) {
  if (meter.admit === undefined) return true;
  while (meter.taken.length > 0 && meter.taken[0] <= now - 1_000) meter.taken.shift();
  if (meter.taken.length >= meter.admit.perSecond) return false;
  meter.taken.push(now);
  return true;
}

/** The most calls that began within one second, by the caller's clock or by this one. */
function worstSecond(calls, of) {
  const times = calls.map(of).sort((a, b) => a - b);
  let worst = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last] - times[first] >= 1_000) first++;
    worst = Math.max(worst, last - first + 1);
  }
  return worst;
}

/** The largest sum of units within one minute. */
function worstMinute(calls) {
  let worst = 0;
  let sum = 0;
  for (let first = 0, last = 0; last < calls.length; last++) {
    sum += calls[last].units;
    while (calls[last].at - calls[first].at >= 60_000) sum -= calls[first++].units;
    worst = Math.max(worst, sum);
  }
  return worst;
}

const answers = {
  '/stats': (meter) => ({
    calls: meter.calls.length,
    refused: meter.refused,
    most: meter.most,
    area: meter.area,
    firstAt: meter.calls[0]?.seenAt ?? 0,
    lastAt: meter.since,
    worstSecond: worstSecond(meter.calls, ({ at }) => at),
    worstSecondSeen: worstSecond(meter.calls, ({ seenAt }) => seenAt),
    worstMinute: worstMinute(meter.calls),
    units: meter.calls.reduce((sum, { units }) => sum + units, 0),
  }),
  '/calls': (meter, query) => meter.calls.filter(({ at }) => at >= Number(query.get('from') ?? 0)),
  '/admit': (meter, query) => {
    meter.admit = query.has('perSecond')
      ? { perSecond: Number(query.get('perSecond')), retryAfter: query.get('retryAfter') }
      : undefined;
    return {};
  },
};

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const [path, text] = request.url.split('?');
  const query = new URLSearchParams(text);
  if (path in answers) {
    response.end(JSON.stringify(answers[path](meterOf(query.get('name')), query)));
    return;
  }
  const meter = meterOf(path.slice(1));
  const seenAt = Date.now();
  const isTaken = takes(meter, seenAt);
  const call = { at: Number(query.get('at')), seenAt, endedAt: 0, units: Number(query.get('units') ?? 0), isTaken };
  meter.calls.push(call);
  if (!isTaken) {
    meter.refused++;
    call.endedAt = seenAt;
    response.statusCode = 429;
    if (meter.admit.retryAfter) response.setHeader('retry-after', meter.admit.retryAfter);
    response.end();
    return;
  }
  step(meter, 1, seenAt);
  let isOpen = true;
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    call.endedAt = Date.now();
    step(meter, -1, call.endedAt);
  };
  const timer = setTimeout(
    () => {
      end();
      response.end('{"ok":true}');
    },
    Number(query.get('ms')),
  );
  response.on('close', () => {
    clearTimeout(timer);
    end();
  });
});
server.listen(0, '127.0.0.1', 4_096, () => console.log(server.address().port));
