import { describe, expect, test } from 'vitest';
import type { HttpMethod } from '../../../src/connectors/http/methods.ts';
import { redirected } from '../../../src/connectors/http/redirect.ts';

const from = (method: HttpMethod): Parameters<typeof redirected>[0] => ({
  url: 'https://one.example/a/b?c=d',
  method,
  headers: { Authorization: 'x', Cookie: 'y', 'Content-Type': 'text/plain', Accept: 'z' },
  body: 'body',
});

describe('a redirected request', () => {
  test.each<[number, HttpMethod, HttpMethod]>([
    [301, 'GET', 'GET'],
    [301, 'POST', 'GET'],
    [301, 'PUT', 'PUT'],
    [302, 'POST', 'GET'],
    [302, 'DELETE', 'DELETE'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [308, 'PATCH', 'PATCH'],
  ])('by %i turns %s into %s, and loses its body with its method', (status, before, after) => {
    const next = redirected(from(before), { status, location: '/e' });
    expect(next?.method).toBe(after);
    const kept = before === after;
    expect(next?.body).toBe(kept ? 'body' : undefined);
    expect(Object.keys(next?.headers ?? {})).toEqual(
      kept ? ['Authorization', 'Cookie', 'Content-Type', 'Accept'] : ['Authorization', 'Cookie', 'Accept'],
    );
  });

  test.each([
    ['e', 'https://one.example/a/e'],
    ['/e', 'https://one.example/e'],
    ['?e', 'https://one.example/a/b?e'],
    ['//two.example/', 'https://two.example/'],
  ])('to %s goes to %s', (location, url) => {
    expect(redirected(from('GET'), { status: 302, location })?.url).toBe(url);
  });

  test.each(['https://two.example/', 'http://one.example/', 'https://one.example:444/'])(
    'to %s loses its credentials',
    (location) => {
      expect(redirected(from('PUT'), { status: 307, location })?.headers).toEqual({
        'Content-Type': 'text/plain',
        Accept: 'z',
      });
    },
  );

  test.each([200, 300, 304, 305, 404])('does not come from status %i', (status) => {
    expect(redirected(from('GET'), { status, location: '/e' })).toBeUndefined();
  });
});
