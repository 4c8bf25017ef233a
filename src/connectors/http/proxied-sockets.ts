import { isIP } from 'node:net';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { ProxySettings } from '../settings.ts';
import { type AddressPolicy, addressRefused, isRefused } from './address-guard.ts';
import { Exchange } from './exchange.ts';
import type { Exchanged, HttpSockets, SendOptions, WireRequest } from './wire.ts';

/**
 * Sockets to a proxy, and straight ones to the hosts that NO_PROXY names, by undici's own reading of the variables. Plain HTTP is asked
 * for by its whole URL, as curl does, HTTPS through a tunnel. Names are resolved by the proxy, so that addresses are checked only where
 * they stand in the URL.
 */
export function openProxiedSockets(settings: AddressPolicy & { readonly proxy: ProxySettings }): HttpSockets {
  const { httpProxy, httpsProxy, noProxy } = settings.proxy;
  const agent = new EnvHttpProxyAgent({
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    noProxy: noProxy ?? '',
    proxyTunnel: false,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let running = 0;
  return {
    open: () => running,
    close: () => agent.destroy(),
    send: async (request, options) => {
      options.signal.throwIfAborted();
      const { hostname } = new URL(request.origin);
      const address = hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) !== 0 && isRefused(address, settings)) throw addressRefused(hostname);
      running += 1;
      try {
        return await exchange(agent, request, options);
      } finally {
        running -= 1;
      }
    },
  };
}

function exchange(agent: Dispatcher, request: WireRequest, { signal, decide }: SendOptions): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const ended = (): void => signal.removeEventListener('abort', abort);
    const running = new Exchange({ decide, resolve, reject, heard: () => {}, free: ended, broken: ended });
    const abort = (): void => running.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    agent.dispatch(request as Dispatcher.DispatchOptions, running);
  });
}
