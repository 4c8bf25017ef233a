import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { httpCall } from '../../../src/connectors/http/call.ts';
import { useConnectors } from '../../../src/connectors/settings.ts';
import { parseConnectorSettings } from '../../../src/runtime/environment.ts';
import { reply, startDownstream, startTlsDownstream } from './downstream.ts';

afterEach(() => useConnectors({}));

const call = (url: string) => httpCall({ url, method: 'GET' }, { signal: new AbortController().signal });

/** A proxy that writes down what it was asked for. */
async function startProxy() {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.pipe(
      ask(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  }).on('connect', (request, socket, head) => {
    asked.push(`CONNECT ${request.url}`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    }).on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  await once(proxy, 'listening');
  // A server that listens on a port has an address with one.
  return { asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
}

const machine = { FANLOOP_LOCAL_FILES: '/', FANLOOP_ALLOW_PRIVATE_NETWORK: 'true' };

describe('the proxies of a machine', () => {
  test('are used for HTTP and HTTPS, but not for hosts that NO_PROXY names', async () => {
    const proxy = await startProxy();
    const plain = await startDownstream((_, response) => reply(response, 200, { body: 'plain' }));
    const secure = await startTlsDownstream((_, response) => reply(response, 200, { body: 'secure' }));
    const variables = { ...machine, HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    useConnectors(parseConnectorSettings(variables));
    expect((await call(`${plain.url}/a`)).body.toString()).toBe('plain');
    // The proxy only sees the tunnel; whom to trust stays this side's question.
    await expect(call(secure.url)).rejects.toMatchObject({ code: 'TlsFailed' });
    expect(proxy.asked).toEqual([`GET ${plain.url}/a`, `CONNECT ${secure.url.replace('https://', '')}`]);

    useConnectors(parseConnectorSettings({ ...variables, NO_PROXY: '127.0.0.1' }));
    expect((await call(`${plain.url}/b`)).body.toString()).toBe('plain');
    expect(proxy.asked).toHaveLength(2);
  });

  test('are not used where a function is deployed', () => {
    expect(parseConnectorSettings({ HTTP_PROXY: 'http://proxy:1' })).not.toHaveProperty('proxy');
  });
});

describe('the embedded cloud’s own address', () => {
  test.each(['127.0.0.1', 'localhost', '127.0.0.2', '[::1]', '0.0.0.0'])('is refused as %s', async (host) => {
    const downstream = await startDownstream((_, response) => reply(response, 200));
    const variables = { ...machine, AWS_ENDPOINT_URL: downstream.url };
    useConnectors(parseConnectorSettings(variables));
    const { port } = new URL(downstream.url);
    await expect(call(`http://${host}:${port}/jobs`)).rejects.toMatchObject({ code: 'AddressRefused' });
    expect(downstream.requests).toEqual([]);
  });
});
