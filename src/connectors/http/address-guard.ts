import type { LookupAddress } from 'node:dns';
import { lookup as resolve } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { TaskError } from '../../task/errors.ts';

/** Which addresses may be called. */
export interface AddressPolicy {
  /** Whether loopback and private addresses may be called; link-local ones (with the metadata service) never are. */
  readonly allowPrivateNetwork: boolean;
}

/** Where EC2 answers metadata over IPv6. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
const metadataIpv6 = ipaddr.IPv6.parseCIDR('fd00:ec2::/32');

/** Of global unicast, what this library's table does not name yet. https://www.iana.org/assignments/iana-ipv6-special-registry */
const protocolAssignments = ipaddr.IPv6.parseCIDR('2001::/23');
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether an IP address may not be called; anything that is no IP address may not. */
export function isRefused(address: string, { allowPrivateNetwork }: AddressPolicy): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  const { parsed, range } = version === 4 ? parseIpv4(address) : parseIpv6(address);
  if (range === 'linkLocal' || (parsed instanceof ipaddr.IPv6 && parsed.match(metadataIpv6))) return true;
  if (allowPrivateNetwork) return false;
  if (range !== 'unicast') return true;
  return parsed instanceof ipaddr.IPv6 && (!parsed.match(globalUnicast) || parsed.match(protocolAssignments));
}

interface RangedAddress {
  readonly parsed: ipaddr.IPv4 | ipaddr.IPv6;
  readonly range: ReturnType<ipaddr.IPv4['range']> | ReturnType<ipaddr.IPv6['range']>;
}

function parseIpv4(address: string): RangedAddress {
  const parsed = ipaddr.IPv4.parse(address);
  return { parsed, range: parsed.range() };
}

/** Two ranges carry an IPv4 address, whose fate they share: mapped ones, and NAT64 (RFC 6052). */
function parseIpv6(address: string): RangedAddress {
  // A zone (`fe80::1%eth0`) names an interface, not an address.
  const parsed = ipaddr.IPv6.parse(address.replace(/%.*$/s, ''));
  const range = parsed.range();
  if (range !== 'ipv4Mapped' && range !== 'rfc6052') return { parsed, range };
  return parseIpv4(parsed.toByteArray().slice(12).join('.'));
}

/** The failure of a call to an address that the policy refuses; `host` as the item named it. */
export function addressRefused(host: string): TaskError {
  return new TaskError(
    `expected a public address, got ${host}, which is a private or link-local one; the stack's allowPrivateNetwork opens private ones`,
    { code: 'AddressRefused' },
  );
}

/**
 * Makes the name look-up of a socket: it hands out only addresses that the policy allows, so that the address checked is the
 * one connected to. Look-ups of one name at the same time are one.
 */
export function guardedLookup(policy: AddressPolicy): LookupFunction {
  const running = new Map<string, Promise<readonly LookupAddress[]>>();

  const addressesOf = (hostname: string, family: 0 | 4 | 6): Promise<readonly LookupAddress[]> => {
    const key = `${family} ${hostname}`;
    const known = running.get(key);
    if (known !== undefined) return known;
    const started = resolve(hostname, { all: true, family }).finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };

  return (hostname, options, callback) => {
    const family = options.family === 4 || options.family === 6 ? options.family : 0;
    addressesOf(hostname, family).then(
      (found) => {
        const allowed = found.filter(({ address }) => !isRefused(address, policy));
        const [first] = allowed;
        if (first === undefined) callback(addressRefused(hostname), '');
        else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}
