import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Where a connection may go.
 * - `operator`: the URL comes from the operator's own configuration; only link-local (the cloud's
 *   metadata service) stays closed.
 * - `team`: the URL comes from a label, an annotation or a file in Git; loopback is closed too, so
 *   that nobody reaches what listens beside this process. Private networks are open: that is where
 *   deployed services live.
 * - `any`: tests and the demo, where everything runs on this machine.
 */
export type AddressPolicy = 'operator' | 'team' | 'any';

const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
linkLocal.addAddress('fd00:ec2::254', 'ipv6');
linkLocal.addAddress('100.100.100.200', 'ipv4');

const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('224.0.0.0', 4, 'ipv4');
local.addAddress('255.255.255.255', 'ipv4');
local.addAddress('::1', 'ipv6');
local.addAddress('::', 'ipv6');
local.addSubnet('ff00::', 8, 'ipv6');

/** IPv4 addresses travel inside IPv6 ones in four ways; all are judged by the IPv4 address they reach. */
const EMBEDDED = [
  /^::ffff:(?:0:)?([0-9a-f:.]+)$/,
  /^64:ff9b::([0-9a-f:.]+)$/,
  /^::([0-9a-f]{1,4}:[0-9a-f]{1,4}|[0-9.]+)$/,
];
const SIX_TO_FOUR = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/;

/** Why a connection to this IP address is refused, or `undefined` when it is allowed. */
export function refusedAddress(address: string, policy: AddressPolicy): string | undefined {
  if (policy === 'any') return undefined;
  const ip = embeddedIpv4(address.toLowerCase().split('%')[0] ?? '') ?? address.split('%')[0] ?? '';
  if (isIP(ip) === 0) return 'is not an IP address';
  const family = isIPv4(ip) ? 'ipv4' : 'ipv6';
  if (linkLocal.check(ip, family)) return 'is a link-local address';
  if (policy === 'team' && local.check(ip, family)) return 'is an address of this machine';
  return undefined;
}

function embeddedIpv4(address: string): string | undefined {
  const sixToFour = SIX_TO_FOUR.exec(address);
  if (sixToFour) return fromGroups(sixToFour[1] ?? '', sixToFour[2] ?? '');
  for (const form of EMBEDDED) {
    const inner = form.exec(address)?.[1];
    if (inner === undefined) continue;
    if (isIPv4(inner)) return inner;
    const [high, low, ...more] = inner.split(':');
    if (high !== undefined && low !== undefined && more.length === 0) return fromGroups(high, low);
  }
  return undefined;
}

function fromGroups(high: string, low: string): string {
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}
