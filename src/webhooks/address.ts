import ipaddr from 'ipaddr.js';

/** Which addresses besides public ones may be called: none, these networks (CIDR), or all. */
export type AllowPrivate = boolean | readonly string[];

/** All that is routed in IPv6, so that what embeds or abbreviates other addresses is not among it. */
const ROUTED = ipaddr.parseCIDR('2000::/3');

/** Whether something at this IP address may be called. */
export function isAllowed(address: string, allow: AllowPrivate): boolean {
  if (allow === true) return true;
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(ROUTED))) return true;
  if (allow === false) return false;
  return allow.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}
