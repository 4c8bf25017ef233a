import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardedLookup, isRefused } from '../../../src/connectors/http/address-guard.ts';

const strict = { allowPrivateNetwork: false };
const open = { allowPrivateNetwork: true };

describe('an address outside of the public internet', () => {
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:0:0',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    'ff02::1',
  ])('%s is refused unless the private network is allowed', (address) => {
    expect(isRefused(address, strict)).toBe(true);
    expect(isRefused(address, open)).toBe(false);
  });

  test.each([
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    'not an address',
    '',
  ])('%s is refused in any case', (address) => {
    expect(isRefused(address, strict)).toBe(true);
    expect(isRefused(address, open)).toBe(true);
  });

  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
  ])('%s, just outside of a refused range, is allowed', (address) => {
    expect(isRefused(address, strict)).toBe(false);
  });

  test.each(['2600::1', '2a00:1450:4001::200e', '::ffff:1.1.1.1', '64:ff9b::1.1.1.1'])('%s is allowed', (address) => {
    expect(isRefused(address, strict)).toBe(false);
  });

  test('an IPv4 address has one fate, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (address, allowPrivateNetwork) => {
        const policy = { allowPrivateNetwork };
        expect(isRefused(`::ffff:${address}`, policy)).toBe(isRefused(address, policy));
        expect(isRefused(`64:ff9b::${address}`, policy)).toBe(isRefused(address, policy));
      }),
    );
  });
});

describe('a name', () => {
  const lookup = (policy: typeof strict, all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      guardedLookup(policy)('localhost', { all, family: 4 }, (error, address) =>
        error === null ? resolve(address) : reject(error),
      );
    });

  test('that resolves to refused addresses only is refused', async () => {
    await expect(lookup(strict, true)).rejects.toMatchObject({ code: 'AddressRefused', retryable: false });
    await expect(lookup(strict, false)).rejects.toMatchObject({ code: 'AddressRefused' });
  });

  test('that resolves to allowed addresses gets them in the form that the socket asks for', async () => {
    await expect(lookup(open, true)).resolves.toEqual([{ address: '127.0.0.1', family: 4 }]);
    await expect(lookup(open, false)).resolves.toBe('127.0.0.1');
  });
});
