import type { LookupAddress } from 'node:dns';
import { lookup as resolve } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { TaskError } from '../../task/errors.ts';

/** Which addresses may be called. */
export interface AddressPolicy {
  /** Whether loopback and private addresses may be called; link-local ones (with the metadata service) never are. */
  readonly allowPrivateNetwork: boolean;
}

/** Everything that IANA does not list as globally reachable. https://www.iana.org/assignments/iana-ipv4-special-registry */
const privateIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Link-local: instance metadata (169.254.169.254), container credentials (169.254.170.2), and neighbours. */
const linkLocalIpv4 = ['169.254.0.0/16'];

/** Global unicast, and the two ranges that carry an IPv4 address: mapped, and NAT64 (RFC 6052). */
const globalIpv6 = ['2000::/3', '::ffff:0:0/96', '64:ff9b::/96'];

/** Within global unicast: protocol assignments with Teredo, documentation, 6to4. https://www.iana.org/assignments/iana-ipv6-special-registry */
const privateIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Link-local, and where EC2 answers metadata over IPv6. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
const linkLocalIpv6 = ['fe80::/10', 'fd00:ec2::/32'];

const linkLocal = blockList([...linkLocalIpv4, ...linkLocalIpv6, ...embedded(linkLocalIpv4)]);
const nonGlobal = blockList([...privateIpv4, ...privateIpv6, ...embedded(privateIpv4)]);
const global = blockList(globalIpv6);

/** Whether an IP address may not be called; anything that is no IP address may not. */
export function isRefused(address: string, { allowPrivateNetwork }: AddressPolicy): boolean {
  // A zone (`fe80::1%eth0`) names an interface, not an address.
  const bare = address.replace(/%.*$/s, '');
  const version = isIP(bare);
  if (version === 0) return true;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (linkLocal.check(bare, family)) return true;
  if (allowPrivateNetwork) return false;
  return nonGlobal.check(bare, family) || (version === 6 && !global.check(bare, family));
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

/** The same IPv4 ranges written as IPv6: mapped and through NAT64. */
function embedded(ranges: readonly string[]): readonly string[] {
  return ranges.flatMap((range) => {
    const [network, prefix] = range.split('/');
    return [`::ffff:${network}/${96 + Number(prefix)}`, `64:ff9b::${network}/${96 + Number(prefix)}`];
  });
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
