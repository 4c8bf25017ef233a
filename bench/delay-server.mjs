// Answers every GET after the time in its path (`/200`), and says at `/stats` how full it was kept since `/reset`.
import { createServer } from 'node:http';

let stats = fresh();
function fresh() {
  return { calls: 0, firstAt: 0, firstAnswerAt: 0, lastAt: 0, inFlight: 0, since: 0, area: 0 };
}
function step(by) {
  const now = performance.now();
  stats.area += stats.inFlight * (now - stats.since);
  stats.since = now;
  stats.inFlight += by;
}
// Longer than a contender runs: who asks for the numbers keeps its connection meanwhile.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/reset') {
    stats = fresh();
    response.end('{}');
    return;
  }
  if (request.url === '/stats') {
    response.end(JSON.stringify(stats));
    return;
  }
  if (stats.calls === 0) {
    stats.firstAt = Date.now();
    stats.since = performance.now();
  }
  stats.calls++;
  step(1);
  setTimeout(
    () => {
      step(-1);
      stats.lastAt = Date.now();
      if (stats.firstAnswerAt === 0) stats.firstAnswerAt = stats.lastAt;
      response.end('{"ok":true}');
    },
    Number(request.url?.slice(1)),
  );
});
server.listen(0, '127.0.0.1', 1_024, () => console.log(server.address().port));
